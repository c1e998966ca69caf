#include "core/base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace kin {

namespace {
std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
    auto logger = std::make_shared<spdlog::logger>("kin", std::move(sink));
    logger->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::info);
    return logger;
}

// The logger is replaced only before threads start; the level is atomic inside spdlog.
std::shared_ptr<spdlog::logger>& logger() {
    static std::shared_ptr<spdlog::logger> instance = [] {
        auto made = make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_level(spdlog::level::warn);
        return made;
    }();
    return instance;
}

spdlog::level::level_enum native(LogLevel level) {
    switch (level) {
        case LogLevel::kDebug:
            return spdlog::level::debug;
        case LogLevel::kInfo:
            return spdlog::level::info;
        case LogLevel::kWarn:
            return spdlog::level::warn;
        case LogLevel::kError:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

void append_quoted(std::string& line, std::string_view value) {
    const bool plain =
        !value.empty() && value.find_first_of(" \"=\\\n\r\t") == std::string_view::npos;
    if (plain) {
        line.append(value);
        return;
    }
    line.push_back('"');
    for (const char c : value) {
        if (c == '\n') {
            line.append("\\n");
        } else if (static_cast<unsigned char>(c) < 0x20) {
            line.push_back(' ');
        } else {
            if (c == '"' || c == '\\') line.push_back('\\');
            line.push_back(c);
        }
    }
    line.push_back('"');
}

void write(LogLevel level, std::string_view component, std::string_view what,
           std::initializer_list<LogField> fields) {
    if (!log_enabled(level)) return;
    std::string line = cat("component=", component, " msg=");
    append_quoted(line, what);
    for (const LogField& field : fields) {
        line.append(cat(' ', field.name, '='));
        append_quoted(line, field.value);
    }
    logger()->log(native(level), "{}", line);
}
}  // namespace

void log_error(std::string_view component, std::string_view what,
               std::initializer_list<LogField> fields) {
    write(LogLevel::kError, component, what, fields);
}
void log_warn(std::string_view component, std::string_view what,
              std::initializer_list<LogField> fields) {
    write(LogLevel::kWarn, component, what, fields);
}
void log_info(std::string_view component, std::string_view what,
              std::initializer_list<LogField> fields) {
    write(LogLevel::kInfo, component, what, fields);
}
void log_debug(std::string_view component, std::string_view what,
               std::initializer_list<LogField> fields) {
    write(LogLevel::kDebug, component, what, fields);
}

void set_log_level(LogLevel level) { logger()->set_level(native(level)); }
bool log_enabled(LogLevel level) { return logger()->should_log(native(level)); }

bool set_log_file(const std::string& path) {
    std::FILE* probe = std::fopen(path.c_str(), "a");
    if (!probe) return false;
    std::fclose(probe);
    auto replacement = make_logger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(path));
    replacement->set_level(logger()->level());
    logger() = std::move(replacement);
    return true;
}

}  // namespace kin
