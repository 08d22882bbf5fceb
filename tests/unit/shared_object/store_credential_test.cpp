#include "shared_object/store_credential.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(BucketCredential, IsTwoWords) {
    for (const auto* text : {"ID KEY/+=", "  ID\tKEY/+=\n", "ID\nKEY/+=\n", "ID  KEY/+=\r\n"}) {
        const auto found = find_bucket_credential(text);
        ASSERT_TRUE(found) << found.error().text;
        EXPECT_EQ(found->key_id, "ID");
        EXPECT_EQ(found->secret_key.reveal(), "KEY/+=");
    }
}

TEST(BucketCredential, IsNothingElseAndIsNeverQuoted) {
    struct Case {
        std::string text;
        std::string why;
    };
    for (const auto& [text, why] :
         {Case{"", "is empty"}, Case{" \n", "is empty"}, Case{"hunter2", "only one word"},
          Case{"hunter2 b c", "more than two words"}, Case{"hunter2/a b", "access key id"},
          Case{"hunter2\x01 b", "access key id"}}) {
        const auto found = find_bucket_credential(text);
        ASSERT_FALSE(found) << text;
        EXPECT_EQ(found.error().fault, Fault::denied);
        EXPECT_THAT(found.error().text, HasSubstr(why));
        EXPECT_THAT(found.error().text, HasSubstr("ACCESS_KEY_ID SECRET_ACCESS_KEY"));
        EXPECT_THAT(found.error().text, Not(HasSubstr("hunter2")));
    }
}

TEST(StorePassword, IsOneLine) {
    EXPECT_EQ(find_store_password("pass word\n").value(), "pass word");
    EXPECT_EQ(find_store_password("p\r\n").value(), "p");
    for (const auto* text : {"", "\n", "hunter2\nb", "hunter2\x01"}) {
        const auto found = find_store_password(text);
        ASSERT_FALSE(found) << text;
        EXPECT_EQ(found.error().fault, Fault::denied);
        EXPECT_THAT(found.error().text, Not(HasSubstr("hunter2")));
    }
}

}  // namespace
}  // namespace keyturn
