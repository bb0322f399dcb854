#include "memory/pg_failure.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace anabranch {
namespace {

PgLocation Location() {
  PgLocation location;
  location.name = "postgresql://ann@db/notes";
  location.password = "s3cret";
  return location;
}

ErrorKind KindOf(std::string_view sqlstate) {
  return PgServerFailure(Location(), sqlstate, "ERROR").value().kind;
}

TEST(PgFailure, KindsFollowTheSqlState) {
  for (const char* later : {"08006", "08001", "40001", "40P01", "53100", "53200", "53300", "55P03",
                            "57014", "57P01", "57P02", "57P03", "58030", "25006"}) {
    EXPECT_EQ(KindOf(later), ErrorKind::kUnavailable) << later;
  }
  for (const char* denied : {"28000", "28P01", "42501", "3D000"}) {
    EXPECT_EQ(KindOf(denied), ErrorKind::kDenied) << denied;
  }
  for (const char* limit : {"54000", "54001"}) EXPECT_EQ(KindOf(limit), ErrorKind::kLimit);
  for (const char* invalid : {"22000", "22P05", "23505", "23514", "21000"}) {
    EXPECT_EQ(KindOf(invalid), ErrorKind::kInvalid) << invalid;
  }
  for (const char* corrupt : {"XX001", "XX002", "42P01", "42703", "42883", "3F000", ""}) {
    EXPECT_EQ(KindOf(corrupt), ErrorKind::kCorrupt) << corrupt;
  }
}

TEST(PgFailure, FindsTheSqlStateInAnyLanguage) {
  const auto kind = [](std::string_view text) {
    return PgConnectFailure(Location(), text).value().kind;
  };
  EXPECT_EQ(kind("connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  28P01: "
                 "password authentication failed for user \"ann\"\nLOCATION:  auth_failed, auth.c"),
            ErrorKind::kDenied);
  EXPECT_EQ(kind("Verbindung fehlgeschlagen: FATAL:  57P03: das Datenbanksystem startet"),
            ErrorKind::kUnavailable);
  EXPECT_EQ(kind("connection to server failed: Connection refused"), ErrorKind::kUnavailable);
  EXPECT_EQ(kind("SSL error: certificate verify failed"), ErrorKind::kDenied);
  EXPECT_EQ(kind("received invalid response to SSL negotiation: H"), ErrorKind::kCorrupt);
}

TEST(PgFailure, TheLastAddressDecides) {
  const Error error =
      PgConnectFailure(Location(),
                       "connection to server at \"db\" (::1) failed: Connection refused\n"
                       "connection to server at \"db\" (127.0.0.1) failed: FATAL:  28P01: wrong\n")
          .value();
  EXPECT_EQ(error.kind, ErrorKind::kDenied);
  EXPECT_NE(error.fault.find("wrong"), std::string::npos) << error.fault;
}

TEST(PgFailure, ShowsOneLineAndNoPassword) {
  const std::string message =
      PgServerFailure(Location(), "28P01", "no: s3cret and s3cret\nDETAIL: the data")
          .value()
          .Message();
  EXPECT_EQ(message.find("s3cret"), std::string::npos) << message;
  EXPECT_EQ(message.find("DETAIL"), std::string::npos) << message;
  EXPECT_NE(message.find("no: *** and ***"), std::string::npos) << message;
  EXPECT_EQ(
      PgCallFailure(Location(), std::runtime_error("x s3cret")).value().Message().find("s3cret"),
      std::string::npos);
}

}  // namespace
}  // namespace anabranch
