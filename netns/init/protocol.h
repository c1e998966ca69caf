#pragma once

#include <string>

#include "netns/init/containers.h"

namespace kin::netns {

/// Server to PID 1, one packet each. PID 1 reads this and nothing else: what is to be run stands in
/// a memory file that only the clone opens, so its size has no limit and PID 1 parses no text.
struct InitRequest {
    enum Operation : uint32_t { kStart = 1, kExec = 2, kSignal = 3, kKillGroup = 4 };
    Operation operation;
    ProcessId id;         ///< Of the new process, or of the one that is meant.
    ProcessId container;  ///< kExec: where; kStart: whose pid namespace, 0 for one of its own.
    int32_t signal;       ///< kSignal.
};

/// The descriptors of kStart and kExec, in this order. Every one is present: what a process does
/// not get (its stdio is /dev/null, an exec inherits its namespaces) is the memory file once more.
enum RequestFd : size_t {
    kSpecFd,    ///< Memory file with the encoded spec.
    kReportFd,  ///< Socket for at most one report of the clone; its end means that it runs.
    kStdinFd,
    kStdoutFd,
    kStderrFd,
    kExecFds,  ///< Number of descriptors of kExec.
    kNetworkFd = kExecFds,
    kIpcFd,
    kUtsFd,
    kTreesFd,  ///< From here on: a detached mount per volume.
};

/// PID 1 to server, one packet each.
struct InitEvent {
    enum Kind : uint32_t { kCloned = 1, kCloneFailed = 2, kExited = 3 };
    Kind kind;
    ProcessId id;
    int32_t value;  ///< kCloned: the pid; kCloneFailed: errno; kExited: as from waitpid().
};

/// First byte of a clone's report.
enum class ChildReport : char {
    kTty = 'T',    ///< The terminal's master comes along.
    kError = 'E',  ///< The text says why the process does not run.
};

/// Specs as bytes. Descriptors, the sandbox and the sources of volumes travel beside them.
std::string encode(const ProcessSpec& spec);
std::string encode(const ContainerSpec& spec);
/// Fail with kInvalid on anything that encode() did not make.
Result<ProcessSpec> decode_process(std::string_view bytes);
Result<ContainerSpec> decode_container(std::string_view bytes);

}  // namespace kin::netns
