// What went wrong with PostgreSQL, as an Error. No message holds the password.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "base/result.h"
#include "memory/pg_location.h"

namespace anabranch {

// An error of the server by its SQLSTATE.
Failure PgServerFailure(const PgLocation& location, std::string_view sqlstate,
                        std::string_view text);
// What kept us from connecting, in libpq's words; errors of the server with their SQLSTATE, as
// PQERRORS_VERBOSE writes them.
Failure PgConnectFailure(const PgLocation& location, std::string_view text);
// What libpqxx threw.
Failure PgCallFailure(const PgLocation& location, const std::exception& thrown);
// No answer before the deadline.
Failure PgTimeout(const PgLocation& location);

}  // namespace anabranch
