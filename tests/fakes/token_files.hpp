#pragma once

#include "delivery/token_store.hpp"
#include "fakes/sandbox.hpp"

#include <string>

namespace keyturn::testing_files {

inline const std::string rotation_id = "0123456789abcdef0123456789abcdef";
inline const std::string old_token = "T0xELVRPS0VO";
inline const std::string new_token = "TkVXLVRPS0VOLU5FVy1UT0tFTg==";

inline PendingTokens pending_tokens() {
    return PendingTokens{rotation_id, Secret::copy_of(new_token), Secret::copy_of(old_token)};
}

/// What a rotation does to the files of tunnel "web", up to the first failure.
inline Result<void> rotate(TokenStore& store) {
    Result<void> step = store.check("web");
    if (step) step = store.keep_pending("web", pending_tokens());
    if (step) step = store.stage("web", rotation_id, Secret::copy_of(new_token));
    if (step) step = store.swap_in("web", rotation_id);
    if (step) step = store.forget_pending("web");
    return step;
}

/// A state directory as it is before a rotation: tokens/web holds the old token.
struct BeforeRotation {
    explicit BeforeRotation(Medium medium = Medium::disk) : sandbox(medium) {
        static_cast<void>(make_token_store(sandbox.path()));
        put(sandbox / "tokens/web", old_token);
    }
    [[nodiscard]] std::string token_file() const { return sandbox / "tokens/web"; }

    /// The token file is whole, old or new, and no file is open to other users.
    void expect_old_or_new() const {
        const std::string content = content_of(token_file());
        EXPECT_TRUE(content == old_token || content == new_token) << content;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(sandbox.path())) {
            if (!entry.is_regular_file()) continue;
            EXPECT_EQ(mode_of(entry.path().string()) & ~0600U, 0U) << entry.path();
        }
    }

    /// The next keyturnd finishes the rotation, and then sweeps.
    void expect_recovery() const {
        const std::unique_ptr<TokenStore> store = make_token_store(sandbox.path());
        const Result<void> again = rotate(*store);
        EXPECT_TRUE(again) << again.error().text;
        store->sweep({"web"});
        EXPECT_EQ(content_of(token_file()), new_token);
        EXPECT_EQ(count_files(sandbox / "tokens"), 1U);
        EXPECT_EQ(count_files(sandbox / "pending"), 0U);
    }

    Sandbox sandbox;
};

}  // namespace keyturn::testing_files
