// A real server, started for a test on a port of its own and ended by its process id.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace anabranch::testing {

// A TCP port of 127.0.0.1 that is free now.
int FreePort();

class ServerProcess {
 public:
  // Starts argv[0] (a path) with `env` set beside the environment; its output goes to `log_path`.
  // `uid` 0: as this process's user; else as that user (when root: some servers refuse root).
  ServerProcess(std::vector<std::string> argv, std::map<std::string, std::string> env,
                std::string log_path, uid_t uid = 0);
  ~ServerProcess();  // SIGKILL, and waits
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Waits until `ready` says so. False: the process ended, or 60 s are over; Log() tells why.
  bool WaitUntil(const std::function<bool()>& ready);
  void Signal(int signal);  // SIGSTOP and SIGCONT pause it
  int Stop(int signal);     // sends the signal and waits for the end; its wait status
  bool running();
  std::string Log() const;

 private:
  pid_t pid_ = -1;
  int status_ = 0;
  std::string log_path_;
};

// Runs a command to its end; its exit code, 128 + n for signal n.
int RunCommand(std::vector<std::string> argv, std::map<std::string, std::string> env,
               const std::string& log_path, uid_t uid = 0);

// True if something accepts connections on the port of 127.0.0.1.
bool Accepts(int port);

}  // namespace anabranch::testing
