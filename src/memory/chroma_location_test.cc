#include "memory/chroma_location.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace anabranch {
namespace {

TEST(ChromaLocation, HasDefaults) {
  const auto at = ParseChromaLocation("chroma:http://localhost:8000");
  ASSERT_TRUE(at) << at.error().Message();
  EXPECT_FALSE(at->tls);
  EXPECT_EQ(at->host, "localhost");
  EXPECT_EQ(at->port, 8000);
  EXPECT_EQ(at->tenant, "default_tenant");
  EXPECT_EQ(at->database, "default_database");
  EXPECT_EQ(at->Name(), "http://localhost:8000");
}

TEST(ChromaLocation, NamesTenantAndDatabase) {
  const auto at = ParseChromaLocation("chroma:https://db.example.org:443/team-1/notes_2");
  ASSERT_TRUE(at) << at.error().Message();
  EXPECT_TRUE(at->tls);
  EXPECT_EQ(at->tenant, "team-1");
  EXPECT_EQ(at->database, "notes_2");
  EXPECT_EQ(at->Name(), "https://db.example.org:443");
}

TEST(ChromaLocation, TakesAnIpv6AddressInBrackets) {
  const auto at = ParseChromaLocation("chroma:http://[::1]:8000/");
  ASSERT_TRUE(at) << at.error().Message();
  EXPECT_EQ(at->host, "::1");
  EXPECT_EQ(at->Authority(), "[::1]:8000");
}

TEST(ChromaLocation, RefusesAPasswordWithoutRepeatingIt) {
  for (const char* location :
       {"chroma:http://user:hunter2@localhost:8000", "chroma:https://hunter2@localhost:8000/a/b",
        "chroma:http://localhost:8000/team/notes@hunter2", "chroma:http://hunter2/@x:1"}) {
    const auto at = ParseChromaLocation(location);
    ASSERT_FALSE(at) << location;
    EXPECT_EQ(at.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(at.error().Message().find("hunter2"), std::string::npos) << at.error().Message();
    EXPECT_NE(at.error().remedy.find("ANABRANCH_MEMORY_PASSWORD"), std::string::npos);
    EXPECT_NE(at.error().remedy.find("--memory-password-file"), std::string::npos);
  }
}

TEST(ChromaLocation, RefusesWhatIsNoLocation) {
  for (const char* location : {"",
                               "chroma:",
                               "http://localhost:8000",
                               "chroma:ftp://localhost:8000",
                               "chroma:http://localhost",
                               "chroma:http://:8000",
                               "chroma:http://localhost:",
                               "chroma:http://localhost:0",
                               "chroma:http://localhost:65536",
                               "chroma:http://localhost:8x",
                               "chroma:http://localhost:-1",
                               "chroma:http://local host:8000",
                               "chroma:http://localhost\r\nX: y:8000",
                               "chroma:http://localhost:8000/team",
                               "chroma:http://localhost:8000/team/no",
                               "chroma:http://localhost:8000/team/notes/more",
                               "chroma:http://localhost:8000/te%20am/notes",
                               "chroma:http://localhost:8000?token=hunter2",
                               "chroma:http://[::1:8000",
                               "chroma:http://[]:8000",
                               "chroma:http://::1:8000",
                               "chroma:http://[::1]8000"}) {
    const auto at = ParseChromaLocation(location);
    ASSERT_FALSE(at) << location;
    EXPECT_EQ(at.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(at.error().Message().find("hunter2"), std::string::npos);
  }
}

RC_GTEST_PROP(ChromaLocationProperty, WhatIsAcceptedNamesAServer, ()) {
  const auto text = *rc::gen::container<std::string>(
      rc::gen::element('a', 'b', '1', '8', ':', ':', '/', '.', '[', ']', '@', '\0'));
  const auto at = ParseChromaLocation("chroma:http://" + text);
  RC_CLASSIFY(at.has_value());
  if (!at) return;
  RC_ASSERT(!at->host.empty() && at->port >= 1 && at->port <= 65535);
  const auto again = ParseChromaLocation("chroma:" + at->Name());
  RC_ASSERT(again && again->host == at->host && again->port == at->port);
}

}  // namespace
}  // namespace anabranch
