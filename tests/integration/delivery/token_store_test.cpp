#include "delivery/token_store.hpp"

#include "fakes/token_files.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

using namespace testing_files;

constexpr uid_t nobody = 65534;

class TokenStoreTest : public testing::Test {
  protected:
    /// Every call that would read or replace tokens/web must refuse it, with the sentence.
    void expect_refused(const std::string& why) {
        ASSERT_TRUE(store_->stage("web", rotation_id, Secret::copy_of(new_token))) << why;
        const std::vector<Result<void>> results{store_->check("web"),
                                                store_->swap_in("web", rotation_id),
                                                as_void(store_->current("web"))};
        for (const Result<void>& result : results) {
            ASSERT_FALSE(result) << why;
            EXPECT_EQ(result.error().fault, Fault::invalid);
            EXPECT_EQ(result.error().text, path_ + " " + why);
        }
    }

    template <class Value>
    static Result<void> as_void(const Result<Value>& result) {
        if (result) return {};
        return result.error();
    }

    BeforeRotation before_;
    std::string path_ = before_.token_file();
    std::unique_ptr<TokenStore> store_ = make_token_store(before_.sandbox.path());
};

TEST_F(TokenStoreTest, RotatesAFile) {
    EXPECT_EQ(store_->path("web"), path_);
    EXPECT_TRUE(store_->check("web"));
    ASSERT_TRUE(store_->stage("web", rotation_id, Secret::copy_of(new_token)));
    EXPECT_EQ(content_of(path_), old_token);
    const std::string staged = before_.sandbox / ("tokens/.web.keyturn-" + rotation_id);
    EXPECT_EQ(content_of(staged), new_token);
    EXPECT_EQ(mode_of(staged), 0600U);
    ASSERT_TRUE(store_->swap_in("web", rotation_id));
    EXPECT_EQ(content_of(path_), new_token);
    EXPECT_EQ(mode_of(path_), 0600U);
    EXPECT_EQ(text_of(**store_->current("web")), new_token);
    EXPECT_EQ(count_files(before_.sandbox / "tokens"), 1U);
}

TEST_F(TokenStoreTest, MakesAFileThatWasNotThere) {
    EXPECT_EQ(store_->current("mail")->has_value(), false);
    EXPECT_TRUE(store_->check("mail"));
    ASSERT_TRUE(store_->stage("mail", rotation_id, Secret::copy_of(new_token)));
    ASSERT_TRUE(store_->swap_in("mail", rotation_id));
    EXPECT_EQ(text_of(**store_->current("mail")), new_token);
}

TEST_F(TokenStoreTest, StagesAgainAndOverAnotherContent) {
    ASSERT_TRUE(store_->stage("web", rotation_id, Secret::copy_of(old_token)));
    ASSERT_TRUE(store_->stage("web", rotation_id, Secret::copy_of(new_token)));
    ASSERT_TRUE(store_->stage("web", rotation_id, Secret::copy_of(new_token)));
    ASSERT_TRUE(store_->swap_in("web", rotation_id));
    EXPECT_EQ(content_of(path_), new_token);
}

TEST_F(TokenStoreTest, SaysWhenNothingIsStaged) {
    const Result<void> swapped = store_->swap_in("web", rotation_id);
    ASSERT_FALSE(swapped);
    EXPECT_EQ(swapped.error().fault, Fault::missing);
    EXPECT_EQ(content_of(path_), old_token);
}

TEST_F(TokenStoreTest, CheckLeavesNothingBehind) {
    ASSERT_TRUE(store_->check("web"));
    EXPECT_EQ(count_files(before_.sandbox / "tokens"), 1U);
    EXPECT_EQ(count_files(before_.sandbox / "pending"), 0U);
}

TEST_F(TokenStoreTest, RefusesASymbolicLink) {
    const std::string elsewhere = before_.sandbox / "elsewhere";
    put(elsewhere, old_token);
    std::filesystem::remove(path_);
    std::filesystem::create_symlink(elsewhere, path_);
    expect_refused("is a symbolic link");
    EXPECT_EQ(content_of(elsewhere), old_token);
}

TEST_F(TokenStoreTest, RefusesALinkThatLeadsNowhere) {
    std::filesystem::remove(path_);
    std::filesystem::create_symlink("/nowhere/at/all", path_);
    expect_refused("is a symbolic link");
}

TEST_F(TokenStoreTest, RefusesASecondHardLink) {
    std::filesystem::create_hard_link(path_, before_.sandbox / "second");
    expect_refused("has a second name (hard link)");
    EXPECT_EQ(content_of(before_.sandbox / "second"), old_token);
}

TEST_F(TokenStoreTest, RefusesAModeWiderThan0600) {
    for (const auto& [mode, text] : std::vector<std::pair<mode_t, std::string>>{
             {0640, "0640"}, {0604, "0604"}, {0602, "0602"}, {0700, "0700"}, {04600, "4600"}}) {
        ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
        expect_refused("has the mode " + text + "; run `chmod 0600` on it");
    }
    ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
    EXPECT_TRUE(store_->check("web")) << "narrower is fine";
}

TEST_F(TokenStoreTest, RefusesWhatIsNoRegularFile) {
    std::filesystem::remove(path_);
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    expect_refused("is not a regular file");
    std::filesystem::remove(path_);
    std::filesystem::create_directory(path_);
    expect_refused("is not a regular file");
}

TEST_F(TokenStoreTest, RefusesAForeignOwner) {
    ASSERT_EQ(::geteuid(), 0U) << "this test needs root, to give a file away";
    ASSERT_EQ(::chown(path_.c_str(), nobody, nobody), 0);
    expect_refused("belongs to user 65534, not to user 0");
}

TEST_F(TokenStoreTest, GivesItsFilesTheOwnerOfTheStateDirectory) {
    ASSERT_EQ(::geteuid(), 0U) << "this test needs root, to give directories away";
    for (const char* name : {"", "tokens", "pending", "tokens/web"}) {
        ASSERT_EQ(::chown((before_.sandbox / name).c_str(), nobody, nobody), 0);
    }
    ASSERT_TRUE(store_->keep_pending("web", pending_tokens()));
    ASSERT_TRUE(store_->stage("web", rotation_id, Secret::copy_of(new_token)));
    ASSERT_TRUE(store_->swap_in("web", rotation_id));
    for (const char* name : {"tokens/web", "pending/web"}) {
        struct stat status {};
        ASSERT_EQ(::lstat((before_.sandbox / name).c_str(), &status), 0);
        EXPECT_EQ(status.st_uid, nobody) << name;
        EXPECT_EQ(status.st_gid, nobody) << name;
        EXPECT_EQ(status.st_mode & 07777U, 0600U) << name;
    }
}

TEST_F(TokenStoreTest, RefusesADirectoryThatIsNotOurs) {
    const std::string tokens = before_.sandbox / "tokens";
    ASSERT_EQ(::chmod(tokens.c_str(), 01777), 0);
    EXPECT_EQ(store_->check("web").error().text,
              tokens + " is writable by others; run `chmod 0700` on it");
    ASSERT_EQ(::chmod(tokens.c_str(), 0770), 0);
    EXPECT_EQ(store_->check("web").error().fault, Fault::invalid);
    ASSERT_EQ(::chmod(tokens.c_str(), 0700), 0);
    ASSERT_EQ(::geteuid(), 0U) << "this test needs root, to give a directory away";
    ASSERT_EQ(::chown(tokens.c_str(), nobody, nobody), 0);
    EXPECT_EQ(store_->check("web").error().text,
              tokens + " must have the same owner as " + before_.sandbox.path());
}

TEST_F(TokenStoreTest, RefusesAStateDirectoryOfAnotherUser) {
    ASSERT_EQ(::geteuid(), 0U) << "this test needs root, to become somebody else";
    const int status = in_child([this] {
        if (::seteuid(nobody) != 0) ::_exit(1);
        const Result<void> checked = store_->check("web");
        // It is not ours, and we may not read it. Either error is right.
        ::_exit(!checked && checked.error().fault != Fault::storage ? 0 : 2);
    });
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(TokenStoreTest, RefusesADirectoryThatIsALinkOrWasTakenAway) {
    const std::string tokens = before_.sandbox / "tokens";
    std::filesystem::rename(tokens, before_.sandbox / "moved");
    EXPECT_EQ(store_->check("web").error().fault, Fault::missing);
    EXPECT_FALSE(std::filesystem::exists(tokens));
    std::filesystem::create_directory_symlink(before_.sandbox / "moved", tokens);
    const Result<void> checked = store_->check("web");
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().fault, Fault::invalid);
    EXPECT_EQ(checked.error().text, tokens + " is a symbolic link");
    EXPECT_EQ(make_token_store("/nowhere/at/all")->check("web").error().fault, Fault::missing);
}

TEST_F(TokenStoreTest, RefusesNamesThatLeadOutOfItsDirectories) {
    for (const char* name : {"", "..", "../web", "a/b", ".web"}) {
        EXPECT_EQ(store_->check(name).error().fault, Fault::invalid) << name;
        EXPECT_EQ(store_->current(name).error().fault, Fault::invalid) << name;
        EXPECT_EQ(store_->keep_pending(name, pending_tokens()).error().fault, Fault::invalid);
    }
    for (const char* id : {"", "1/2", "../../../../../../../../etc/keyturn", "0123"}) {
        EXPECT_EQ(store_->stage("web", id, Secret::copy_of("x")).error().fault, Fault::invalid)
            << id;
        EXPECT_EQ(store_->swap_in("web", id).error().fault, Fault::invalid) << id;
    }
}

TEST_F(TokenStoreTest, RefusesAFileThatIsTooLong) {
    put(path_, std::string(100'000, 'x'));
    EXPECT_EQ(store_->current("web").error().text, path_ + " is too long");
}

TEST_F(TokenStoreTest, KeepsBothTokensUntilTheyAreForgotten) {
    EXPECT_EQ(store_->pending("web")->has_value(), false);
    ASSERT_TRUE(store_->keep_pending("web", pending_tokens()));
    EXPECT_EQ(mode_of(before_.sandbox / "pending/web"), 0600U);
    const Result<std::optional<PendingTokens>> pending =
        make_token_store(before_.sandbox.path())->pending("web");
    ASSERT_TRUE(pending && *pending);
    EXPECT_EQ((*pending)->rotation_id, rotation_id);
    EXPECT_EQ(text_of((*pending)->new_token), new_token);
    EXPECT_EQ(text_of((*pending)->old_token), old_token);
    EXPECT_TRUE(store_->forget_pending("web"));
    EXPECT_TRUE(store_->forget_pending("web")) << "forgetting again is no failure";
    EXPECT_EQ(count_files(before_.sandbox / "pending"), 0U);
}

TEST_F(TokenStoreTest, RefusesADamagedPendingFileWithoutQuotingIt) {
    put(before_.sandbox / "pending/web", "{\"new_token\":\"canary\"");
    const Result<std::optional<PendingTokens>> pending = store_->pending("web");
    ASSERT_FALSE(pending);
    EXPECT_EQ(pending.error().fault, Fault::invalid);
    EXPECT_EQ(pending.error().text, (before_.sandbox / "pending/web") + ": it is damaged");
}

TEST_F(TokenStoreTest, SweepsWhatIsItsOwnAndNothingElse) {
    const std::string other_id(32, 'f');
    const std::vector<std::string> left_over{
        ".web.keyturn-" + other_id, ".web.keyturn-0123abcd.tmp", ".shop.keyturn-" + rotation_id,
        ".a.keyturn-b.keyturn-" + rotation_id};
    const std::vector<std::string> kept{"web",
                                        "web.backup",
                                        ".web.keyturn-notes",
                                        ".keyturn-x",
                                        ".mail.keyturn-" + other_id,
                                        "web.keyturn-" + other_id};
    for (const auto& names : {left_over, kept}) {
        for (const std::string& name : names) put(before_.sandbox / ("tokens/" + name), "x");
    }
    put(before_.sandbox / "pending/.web.keyturn-0123abcd.tmp", "x");
    store_->sweep({"web", "shop", "a.keyturn-b", "", "nothing"});
    for (const std::string& name : kept) {
        EXPECT_TRUE(std::filesystem::exists(before_.sandbox / ("tokens/" + name))) << name;
    }
    EXPECT_EQ(count_files(before_.sandbox / "tokens"), kept.size());
    EXPECT_EQ(count_files(before_.sandbox / "pending"), 0U);
}

}  // namespace
}  // namespace keyturn
