#include "memory/pg_location.h"

#include <gtest/gtest.h>

#include <map>

namespace anabranch {
namespace {

std::map<std::string, std::string> Options(const std::string& location,
                                           const RemoteOptions& options = {}) {
  const Result<PgLocation> parsed = ParsePgLocation(location, options);
  EXPECT_TRUE(parsed) << parsed.error().Message();
  if (!parsed) return {};
  return {parsed->options.begin(), parsed->options.end()};
}

TEST(PgLocation, ReadsWhatLibpqReads) {
  auto options = Options("postgresql://ann@db.example:5433/notes?sslmode=verify-full");
  EXPECT_EQ(options["user"], "ann");
  EXPECT_EQ(options["host"], "db.example");
  EXPECT_EQ(options["port"], "5433");
  EXPECT_EQ(options["dbname"], "notes");
  EXPECT_EQ(options["sslmode"], "verify-full");
  EXPECT_EQ(options.count("password"), 0u);
  options = Options("postgresql:///notes?host=/run/postgresql&user=ann%40home");
  EXPECT_EQ(options["host"], "/run/postgresql");
  EXPECT_EQ(options["user"], "ann@home");
}

TEST(PgLocation, TakesThePasswordAndTheCertificatesFromTheOptions) {
  RemoteOptions given;
  given.password = "s3cret";
  given.ca_file = "/etc/our-ca.pem";
  given.timeout = std::chrono::milliseconds(1500);
  auto options = Options("postgresql://ann@db/notes", given);
  EXPECT_EQ(options["password"], "s3cret");
  EXPECT_EQ(options["sslrootcert"], "/etc/our-ca.pem");
  EXPECT_EQ(options["sslmode"], "verify-full");
  EXPECT_EQ(options["tcp_user_timeout"], "1500");
  options = Options("postgresql://ann@db/notes?sslmode=verify-ca&tcp_user_timeout=9", given);
  EXPECT_EQ(options["sslmode"], "verify-ca");
  EXPECT_EQ(options["tcp_user_timeout"], "9");
}

TEST(PgLocation, NamesTheDatabaseWithoutSecrets) {
  RemoteOptions given;
  given.password = "s3cret";
  const auto name = [&](const std::string& location) {
    return ParsePgLocation(location, given)->name;
  };
  EXPECT_EQ(name("postgresql://ann@db:5433/notes?sslmode=require"),
            "postgresql://ann@db:5433/notes");
  EXPECT_EQ(name("postgresql://db/notes"), "postgresql://db/notes");
  EXPECT_EQ(name("postgresql:///notes?host=/run/pg&user=ann"),
            "postgresql://ann@/notes?host=/run/pg");
}

TEST(PgLocation, RefusesPasswordsAndDoesNotRepeatThem) {
  for (const char* location :
       {"postgresql://ann:s3cret@db/notes", "postgresql://ann:s3c/s3cret@db/notes",
        "postgresql://ann:s3cret@db:port:5/x", "postgresql://ann:%s3cret@db/notes",
        "postgresql://db/notes?password=s3cret", "postgresql://db/notes?user=x&password=s3cret",
        "postgresql://db/notes?pass%77ord=s3cret", "postgresql://db/notes?sslpassword=s3cret",
        "postgresql://:s3cret@/notes", "postgres://ann:s3?cret@db/notes"}) {
    const Result<PgLocation> parsed = ParsePgLocation(location, {});
    ASSERT_FALSE(parsed) << location;
    const std::string message = parsed.error().Message();
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(message.find("s3c"), std::string::npos) << message;
    EXPECT_NE(message.find("ANABRANCH_MEMORY_PASSWORD"), std::string::npos) << message;
    EXPECT_NE(message.find("--memory-password-file"), std::string::npos) << message;
  }
}

TEST(PgLocation, RefusesWhatIsNoLocation) {
  for (const std::string& location :
       {std::string("postgresql:/db/notes"), std::string("sqlite:x"), std::string("host=db"),
        std::string("postgresql://db/notes?nonsense=1"), std::string("postgresql://[::1/notes"),
        std::string("postgresql://db/no%zztes"), std::string("postgresql://db\0x/notes", 22)}) {
    const Result<PgLocation> parsed = ParsePgLocation(location, {});
    ASSERT_FALSE(parsed) << location;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(parsed.error().Message().find(location), std::string::npos);
  }
}

}  // namespace
}  // namespace anabranch
