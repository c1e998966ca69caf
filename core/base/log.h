#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/base/strings.h"

namespace kin {

/// One name=value of a log line.
struct LogField {
    LogField(std::string_view name_, std::string_view value_) : name(name_), value(value_) {}
    LogField(std::string_view name_, const char* value_) : name(name_), value(value_) {}
    template <class T>
        requires(!std::convertible_to<T, std::string_view>)
    LogField(std::string_view name_, const T& value_) : name(name_), value(cat(value_)) {}

    std::string_view name;
    std::string value;
};

enum class LogLevel { kDebug, kInfo, kWarn, kError };

/// One fact, one line of logfmt on stderr (or where set_log_file() said). Thread-safe.
/// error: a person must act; warn: kin will retry; info: the cluster changed;
/// debug: one line per request to the kernel.
void log_error(std::string_view component, std::string_view what,
               std::initializer_list<LogField> fields = {});
void log_warn(std::string_view component, std::string_view what,
              std::initializer_list<LogField> fields = {});
void log_info(std::string_view component, std::string_view what,
              std::initializer_list<LogField> fields = {});
void log_debug(std::string_view component, std::string_view what,
               std::initializer_list<LogField> fields = {});

/// Lines below `level` are not written. The default is kWarn.
void set_log_level(LogLevel level);
bool log_enabled(LogLevel level);
/// Appends to `path` from now on; false (and nothing changed) if it cannot be opened.
bool set_log_file(const std::string& path);

}  // namespace kin
