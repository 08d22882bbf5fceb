#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace {

/// keyturnctl shows local times; golden texts are written in UTC.
class UtcEnvironment : public testing::Environment {
  public:
    void SetUp() override {
        setenv("TZ", "UTC", 1);
        tzset();
    }
};

const testing::Environment* const utc =
    testing::AddGlobalTestEnvironment(new UtcEnvironment());  // GoogleTest owns it.

}  // namespace
