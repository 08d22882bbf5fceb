#include "shared_object/aws_signature.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;

/// The examples that Amazon publishes for S3: "Signature Calculations for the Authorization Header:
/// Transferring Payload in a Single Chunk".
class PublishedSignature : public testing::Test {
  protected:
    PublishedSignature() {
        credential.key_id = "AKIAIOSFODNN7EXAMPLE";
        credential.secret_key = Secret::copy_of("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        request.method = "GET";
        request.path = "/";
        request.headers = {{"host", "examplebucket.s3.amazonaws.com"}};
    }

    std::string authorization() {
        return sign_for_s3(request, credential, "us-east-1", now).authorization;
    }

    static std::string expected(const std::string& names, const std::string& signature) {
        return "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
               "aws4_request, SignedHeaders=" +
               names + ", Signature=" + signature;
    }

    AwsCredential credential;
    AwsRequest request;
    WallTime now{1'369'353'600s};
};

TEST_F(PublishedSignature, OfAGetOfAnObject) {
    request.path = "/test.txt";
    request.headers.emplace_back("range", "bytes=0-9");
    EXPECT_EQ(authorization(),
              expected("host;range;x-amz-content-sha256;x-amz-date",
                       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
}

TEST_F(PublishedSignature, OfAPutOfAnObject) {
    request.method = "PUT";
    request.path = "/test%24file.text";
    request.headers.emplace_back("x-amz-storage-class", "REDUCED_REDUNDANCY");
    request.headers.emplace_back("date", "Fri, 24 May 2013 00:00:00 GMT");
    request.body = "Welcome to Amazon S3.";
    EXPECT_EQ(authorization(),
              expected("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST_F(PublishedSignature, OfAQuestionAboutABucket) {
    request.query = "lifecycle=";
    EXPECT_EQ(authorization(),
              expected("host;x-amz-content-sha256;x-amz-date",
                       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
    request.query = "max-keys=2&prefix=J";
    EXPECT_EQ(authorization(),
              expected("host;x-amz-content-sha256;x-amz-date",
                       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

/// As a client in Python, which a radosgw accepts, signs the same request.
TEST_F(PublishedSignature, OfAConditionalPut) {
    credential.key_id = "KEYTURNTEST";
    credential.secret_key = Secret::copy_of("secretsecretsecret");
    request.method = "PUT";
    request.path = "/fleet/keyturn/v1/t1";
    request.headers = {{"host", "127.0.0.1:17480"},
                       {"content-type", "application/octet-stream"},
                       {"if-match", "\"d41d8cd98f00b204e9800998ecf8427e\""}};
    request.body = "one";
    const auto signature = sign_for_s3(request, credential, "auto", WallTime{1'772'332'200s});
    EXPECT_EQ(signature.date, "20260301T023000Z");
    EXPECT_EQ(signature.content_sha256,
              "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
    EXPECT_EQ(signature.authorization,
              "AWS4-HMAC-SHA256 Credential=KEYTURNTEST/20260301/auto/s3/aws4_request, "
              "SignedHeaders=content-type;host;if-match;x-amz-content-sha256;x-amz-date, "
              "Signature=9ebf4d85a2ee4b9b64befbc081b78d0ebd7a8f4f09130f704393f68c0cc4d1b5");
}

TEST_F(PublishedSignature, DependsOnEverythingThatIsSigned) {
    const std::string plain = authorization();
    request.body = "x";
    EXPECT_NE(authorization(), plain);
    request.body = "";
    now += 1s;
    EXPECT_NE(authorization(), plain);
    now -= 1s;
    credential.secret_key = Secret::copy_of("another");
    EXPECT_NE(authorization(), plain);
}

}  // namespace
}  // namespace keyturn
