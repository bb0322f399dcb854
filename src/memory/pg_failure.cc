#include "memory/pg_failure.h"

#include <algorithm>
#include <array>
#include <pqxx/pqxx>

namespace anabranch {
namespace {

constexpr const char* kPasswordRemedy =
    "check the user, and the password in ANABRANCH_MEMORY_PASSWORD or --memory-password-file";

// The first line, without the password. PostgreSQL says more in the next ones: where in its source,
// and what of the data.
std::string Said(const PgLocation& location, std::string_view text) {
  std::string line(text.substr(0, text.find('\n')));
  for (size_t at = 0;
       !location.password.empty() && (at = line.find(location.password, at)) != std::string::npos;
       at += 3) {
    line.replace(at, location.password.size(), "***");
  }
  return line;
}

// The five characters between "SEVERITY:  " and ": ", whatever language the severity is in.
std::string_view SqlState(std::string_view text) {
  const auto is_code = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
  for (size_t at = text.find(":  "); at != std::string_view::npos; at = text.find(":  ", at + 1)) {
    const std::string_view code = text.substr(at + 3, 5);
    if (code.size() == 5 && std::all_of(code.begin(), code.end(), is_code) &&
        text.substr(at + 8, 2) == ": ") {
      return code;
    }
  }
  return "";
}

bool Holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

struct Class {
  std::string_view states;  // what a SQLSTATE begins with
  ErrorKind kind;
  const char* remedy;
};

// The first that fits. https://www.postgresql.org/docs/16/errcodes-appendix.html
constexpr auto kClasses = std::to_array<Class>({
    {"28", ErrorKind::kDenied, kPasswordRemedy},
    {"42501", ErrorKind::kDenied, "let the user own the database, or its schema anabranch"},
    {"3D000", ErrorKind::kDenied, "create the database (docs/stores.md), or name another"},
    {"53100", ErrorKind::kUnavailable, "free some space on the server's disk"},
    {"53300", ErrorKind::kUnavailable, "raise the server's max_connections, or close some"},
    {"25006", ErrorKind::kUnavailable, "name the primary server: this one is a read-only replica"},
    {"08", ErrorKind::kUnavailable, "check that the server runs"},
    {"40", ErrorKind::kUnavailable, "try again"},
    {"53", ErrorKind::kUnavailable, "try again"},
    {"55", ErrorKind::kUnavailable, "try again"},
    {"57", ErrorKind::kUnavailable, "try again"},
    {"58", ErrorKind::kUnavailable, "read the server's log"},
    {"54", ErrorKind::kLimit, ""},
    {"21", ErrorKind::kInvalid, ""},
    {"22", ErrorKind::kInvalid, ""},
    {"23", ErrorKind::kInvalid, ""},
    {"0A", ErrorKind::kUnsupported, "use a newer server"},
    {"", ErrorKind::kCorrupt, "read the server's log; restore the schema anabranch from a copy"},
});

}  // namespace

Failure PgServerFailure(const PgLocation& location, std::string_view sqlstate,
                        std::string_view text) {
  const auto fits = [&](const Class& row) { return sqlstate.starts_with(row.states); };
  const Class& found = *std::find_if(kClasses.begin(), kClasses.end(), fits);
  return Fail(found.kind, location.name, Said(location, text), found.remedy);
}

// libpq has no codes for its own errors. Its words are English unless the program asked for another
// language; then they count as kUnavailable.
Failure PgConnectFailure(const PgLocation& location, std::string_view text) {
  // A host may have several addresses: the last one that was tried decides.
  const size_t last = text.rfind("connection to server");
  if (last != std::string_view::npos) text.remove_prefix(last);
  const std::string_view sqlstate = SqlState(text);
  if (!sqlstate.empty()) return PgServerFailure(location, sqlstate, text);
  if (Holds(text, "no password supplied")) {
    return Fail(ErrorKind::kDenied, location.name, "asks for a password",
                "give it as ANABRANCH_MEMORY_PASSWORD or --memory-password-file");
  }
  if (Holds(text, "certificate") || Holds(text, "does not support SSL")) {
    return Fail(ErrorKind::kDenied, location.name, Said(location, text),
                "check sslmode, sslrootcert and the host's name");
  }
  if (Holds(text, "received invalid response") || Holds(text, "expected authentication request")) {
    return Fail(ErrorKind::kCorrupt, location.name,
                "is no PostgreSQL server (" + Said(location, text) + ")", "check host and port");
  }
  return Fail(ErrorKind::kUnavailable, location.name, Said(location, text),
              "check that the server runs, and its host and port");
}

Failure PgCallFailure(const PgLocation& location, const std::exception& thrown) {
  if (const auto* refused = dynamic_cast<const pqxx::sql_error*>(&thrown)) {
    // libpqxx keeps the code of some classes only.
    const std::string& code = refused->sqlstate();
    return PgServerFailure(location, code.empty() ? SqlState(thrown.what()) : code, thrown.what());
  }
  if (dynamic_cast<const pqxx::broken_connection*>(&thrown) != nullptr ||
      dynamic_cast<const pqxx::transaction_rollback*>(&thrown) != nullptr ||
      dynamic_cast<const pqxx::in_doubt_error*>(&thrown) != nullptr) {
    return Fail(ErrorKind::kUnavailable, location.name, Said(location, thrown.what()), "try again");
  }
  return Fail(ErrorKind::kCorrupt, location.name,
              "gave an answer that cannot be read (" + Said(location, thrown.what()) + ")",
              "check that it is a PostgreSQL server");
}

Failure PgTimeout(const PgLocation& location) {
  return Fail(ErrorKind::kUnavailable, location.name, "did not answer in time", "try again");
}

}  // namespace anabranch
