#include "journal/entry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace keyturn {
namespace {

using testing::ElementsAre;

TEST(JournalFields, SayEverythingThatTheEventSays) {
    Event event;
    event.kind = EventKind::unit_verified;
    event.priority = Priority::notice;
    event.message = "web: two lines\nare fine";
    event.tunnel_name = "web";
    event.tunnel_id = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
    event.rotation_id = "0123456789abcdef0123456789abcdef";
    event.target_unit = "cloudflared-web@1.service";
    event.batch = "1/2";
    event.phase = "roll";
    event.result = "done";
    event.fingerprint = "00112233445566aa";
    event.fleet_host = "alpha";
    event.fleet_epoch = "3";
    event.fleet_rev = "41";
    EXPECT_THAT(journal_fields(event),
                ElementsAre("MESSAGE=web: two lines\nare fine", "PRIORITY=5",
                            "MESSAGE_ID=" + std::string(message_id_of(EventKind::unit_verified)),
                            "SYSLOG_IDENTIFIER=keyturnd", "TUNNEL_NAME=web",
                            "TUNNEL_ID=f70ff985-a4ef-4643-bbbc-4a0ed4fc8415",
                            "ROTATION_ID=0123456789abcdef0123456789abcdef",
                            "TARGET_UNIT=cloudflared-web@1.service", "BATCH=1/2", "PHASE=roll",
                            "RESULT=done", "FINGERPRINT=00112233445566aa", "FLEET_HOST=alpha",
                            "FLEET_EPOCH=3", "FLEET_REV=41"));
}

TEST(JournalFields, LeaveOutWhatIsEmpty) {
    Event event;
    event.message = "started";
    EXPECT_THAT(journal_fields(event),
                ElementsAre("MESSAGE=started", "PRIORITY=6",
                            "MESSAGE_ID=" + std::string(message_id_of(EventKind::daemon_started)),
                            "SYSLOG_IDENTIFIER=keyturnd"));
}

TEST(JournalFields, HaveNothingThatIsNotSeen) {
    Event event;
    event.message = "one\x1b[2J\u202Ereversed\ntwo";
    event.target_unit = "cloudflared-\u200Bweb.service";
    const std::vector<std::string> fields = journal_fields(event);
    EXPECT_EQ(fields.front(), "MESSAGE=one?[2J?reversed\ntwo");
    EXPECT_EQ(fields.back(), "TARGET_UNIT=cloudflared-?web.service");
}

}  // namespace
}  // namespace keyturn
