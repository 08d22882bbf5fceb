#include "fleet/cipher.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn {
namespace {

std::string bytes(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    }
    return bytes;
}

std::string hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        hex += digits[byte / 16];
        hex += digits[byte % 16];
    }
    return hex;
}

Secret secret(std::string_view hex) {
    return Secret::copy_of(bytes(hex));
}

TEST(Cipher, DerivesTheKeyOfRfc5869) {
    // Test case 3, the one without a salt.
    EXPECT_EQ(hex(hkdf_sha256(Secret::copy_of(std::string(22, '\x0b')), "", 42).reveal()),
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
              "9d201395faa4b61a96c8");
}

TEST(Cipher, DerivesWhatAnotherProgramDerives) {
    // openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:$KEY -kdfopt info:$INFO HKDF
    const Secret key = secret("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    EXPECT_EQ(
        hex(hkdf_sha256(key, "keyturn mac 1 f70ff985-a4ef-4643-bbbc-4a0ed4fc8415", 32).reveal()),
        "7d278d75b85a525ac4b85bbd0ced14b32ec305d72ac2f69ab8787f6610c27e6b");
    EXPECT_EQ(
        hex(hkdf_sha256(key, "keyturn seal 1 f70ff985-a4ef-4643-bbbc-4a0ed4fc8415", 32).reveal()),
        "617dcc4d033a350bfda004796854dde24a7c8283b44ad67a1813565a3e95665d");
}

TEST(Cipher, HasTheMacsOfRfc4231) {
    EXPECT_EQ(hmac_sha256_hex(Secret::copy_of(std::string(20, '\x0b')), "Hi There"),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hmac_sha256_hex(Secret::copy_of("Jefe"), "what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hmac_sha256_hex(Secret::copy_of(std::string(131, '\xaa')),
                              "Test Using Larger Than Block-Size Key - Hash Key First"),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

struct GcmCase {
    const char* key;
    const char* nonce;
    const char* additional;
    const char* text;
    const char* sealed;
};

// The cases 13, 14 and 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega), which NIST
// uses: AES-256 and a nonce of 96 bits.
constexpr GcmCase gcm_cases[]{
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

TEST(Cipher, SealsAndOpensTheVectorsOfNist) {
    for (const GcmCase& each : gcm_cases) {
        const std::string sealed = gcm_seal(secret(each.key), bytes(each.nonce),
                                            bytes(each.additional), secret(each.text));
        EXPECT_EQ(hex(sealed), each.sealed);
        const auto opened =
            gcm_open(secret(each.key), bytes(each.nonce), bytes(each.additional), sealed);
        ASSERT_TRUE(opened);
        EXPECT_EQ(hex(opened->reveal()), each.text);
    }
}

TEST(Cipher, OpensNothingThatWasChanged) {
    const GcmCase& each = gcm_cases[2];
    const auto opens = [](const std::string& key, const std::string& nonce,
                          const std::string& additional, const std::string& sealed) {
        return gcm_open(Secret::copy_of(key), nonce, additional, sealed).has_value();
    };
    const std::string whole[]{bytes(each.key), bytes(each.nonce), bytes(each.additional),
                              bytes(each.sealed)};
    ASSERT_TRUE(opens(whole[0], whole[1], whole[2], whole[3]));
    for (std::size_t part = 0; part < std::size(whole); ++part) {
        for (std::size_t bit = 0; bit < whole[part].size() * 8; ++bit) {
            std::string changed[]{whole[0], whole[1], whole[2], whole[3]};
            char& byte = changed[part][bit / 8];
            byte = static_cast<char>(byte ^ (1 << (bit % 8)));
            EXPECT_FALSE(opens(changed[0], changed[1], changed[2], changed[3]))
                << "part " << part << ", bit " << bit;
        }
    }
    for (std::size_t size = 0; size < whole[3].size(); ++size) {
        EXPECT_FALSE(opens(whole[0], whole[1], whole[2], whole[3].substr(0, size))) << size;
    }
    EXPECT_FALSE(opens(whole[0], "short", whole[2], whole[3]));
}

}  // namespace
}  // namespace keyturn
