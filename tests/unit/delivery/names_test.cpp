#include "delivery/names.hpp"

#include "files/atomic_file.hpp"
#include "files/directory.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn {
namespace {

const std::string id = "0123456789abcdef0123456789abcdef";

TEST(StagedName, IsBesideTheTokenFile) {
    EXPECT_EQ(staged_name("web", id), ".web.keyturn-" + id);
    EXPECT_TRUE(is_staged_for(staged_name("web", id), "web"));
}

TEST(StagedName, BelongsToOneTunnelOnly) {
    EXPECT_FALSE(is_staged_for(staged_name("web", id), "we"));
    EXPECT_FALSE(is_staged_for(staged_name("we", id), "web"));
    // A tunnel that somebody named after our own files.
    EXPECT_FALSE(is_staged_for(staged_name("web.keyturn-x", id), "web"));
    EXPECT_FALSE(is_staged_for("web", "web"));
    EXPECT_FALSE(is_staged_for(".web.keyturn-0123abcd.tmp", "web"));
}

TEST(RotationId, Has32LowerCaseHexDigits) {
    EXPECT_TRUE(is_rotation_id(id));
    for (const std::string& text : {std::string(), id + "0", id.substr(1), "../" + id.substr(3),
                                    "A" + id.substr(1), "g" + id.substr(1)}) {
        EXPECT_FALSE(is_rotation_id(text)) << text;
    }
}

TEST(TemporaryName, IsToldFromEverythingElse) {
    EXPECT_TRUE(is_temporary_of(".web.keyturn-0123abcd.tmp", "web"));
    EXPECT_TRUE(is_temporary(".web.keyturn-0123abcd.tmp"));
    EXPECT_TRUE(is_temporary(".web.json.keyturn-0123abcd.tmp"));
    EXPECT_FALSE(is_temporary_of(".web.keyturn-0123abcd.tmp", "we"));
    for (const std::string& name :
         {std::string("web"), std::string(".web.tmp"), std::string(".keyturn-0123abcd.tmp"),
          std::string(".web.keyturn-0123abc.tmp"), std::string(".web.keyturn-0123ABCD.tmp"),
          std::string(".web.keyturn-0123abcd.tmp~"), staged_name("web", id)}) {
        EXPECT_FALSE(is_temporary(name)) << name;
    }
}

TEST(FileName, IsPlain) {
    for (const char* name : {"web", "Web-1", "a.b_c@d", "0"}) EXPECT_TRUE(check_file_name(name));
    for (const std::string& name :
         {std::string(), std::string("."), std::string(".."), std::string(".hidden"),
          std::string("a/b"), std::string("a b"), std::string("a\nb"), std::string("\xc3\xa9"),
          std::string(129, 'a')}) {
        const Result<void> checked = check_file_name(name);
        ASSERT_FALSE(checked) << name;
        EXPECT_EQ(checked.error().fault, Fault::invalid);
    }
}

}  // namespace
}  // namespace keyturn
