// What a peer is to the harness: its forms, a server and a client.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/load.h"

namespace pagewire::bench {

struct Form {
  std::string name;
  std::vector<std::string> workloads;
};

struct Program {
  std::string name;
  std::string version;      // of the library
  std::vector<Form> forms;  // the first that has the workload is taken unless --form says otherwise

  // Starts a server on a port that it chooses; in a process of its own, before anything else of the library is used.
  // The result keeps it going; null after an error that was printed.
  std::function<std::shared_ptr<void>(const Options& options, int& port)> serve;
  std::function<std::unique_ptr<Client>(const Options& options, int port)> connect;

  // Which of RunWithAllocator it is best with.
  std::string echo_allocator = "malloc";
  std::string bulk_allocator = "malloc";  // for all other workloads
};

// A whole main().
int RunProgram(const Program& program, int argc, char** argv);

// The part of it that looks for a form: sets options.form, or prints what is wrong and is false.
bool ChooseForm(const std::string& program, const std::vector<Form>& forms, Options& options);

}  // namespace pagewire::bench
