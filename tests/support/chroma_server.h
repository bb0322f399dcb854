// A real Chroma server of the bootstrap's (.venv/chroma), on a port and in a folder of its own.
#pragma once

#include <memory>
#include <string>

#include "support/server_process.h"
#include "support/temp_dir.h"

namespace anabranch::testing {

class ChromaServer {
 public:
  // Does not start it. `source_dir`: ANABRANCH_SOURCE_DIR.
  explicit ChromaServer(std::string source_dir);

  // Starts it, on the same port and folder each time (about 2 s); true once it answers.
  bool Start();
  // Ends it: SIGTERM, or SIGKILL as in a crash.
  void Stop(int signal);
  // SIGSTOP and SIGCONT pause it.
  void Signal(int signal);

  int port() const { return port_; }
  std::string location() const;                              // chroma:http://127.0.0.1:PORT
  const std::string& folder() const { return dir_.path(); }  // its --path
  std::string Log() const;

 private:
  const std::string source_dir_;
  const TempDir dir_;
  const int port_;
  std::unique_ptr<ServerProcess> process_;
};

}  // namespace anabranch::testing
