#include "netns/init/protocol.h"

#include <cstring>
#include <type_traits>

namespace kin::netns {
namespace {

class Writer {
public:
    template <class T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
    void field(const T& value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void field(const std::string& text) {
        field(static_cast<uint32_t>(text.size()));
        bytes_.append(text);
    }
    void field(const VolumeMount& mount) {
        field(mount.target);
        field(mount.read_only);
    }
    void field(const PlacedFile& file) {
        field(file.path);
        field(file.content);
        field(file.mode);
    }
    template <class T>
    void field(const std::vector<T>& list) {
        field(static_cast<uint32_t>(list.size()));
        for (const T& item : list) field(item);
    }
    std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

/// After a failure all fields stay empty and good() is false.
class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    template <class T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
    void field(T& value) {
        if (const auto part = take(sizeof value); !part.empty()) {
            std::memcpy(&value, part.data(), sizeof value);
        }
    }
    void field(std::string& text) {
        uint32_t size = 0;
        field(size);
        text = take(size);
    }
    void field(VolumeMount& mount) {
        field(mount.target);
        field(mount.read_only);
    }
    void field(PlacedFile& file) {
        field(file.path);
        field(file.content);
        field(file.mode);
    }
    template <class T>
    void field(std::vector<T>& list) {
        uint32_t size = 0;
        field(size);
        for (uint32_t i = 0; i < size && good_; ++i) field(list.emplace_back());
    }
    bool complete() const { return good_ && bytes_.empty(); }

private:
    std::string_view take(size_t size) {
        if (size > bytes_.size()) {
            good_ = false;
            bytes_ = {};
        }
        if (!good_) return {};
        const auto part = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return part;
    }

    std::string_view bytes_;
    bool good_ = true;
};

/// The one list of fields, for both directions.
template <class Codec, class Spec>
void process_fields(Codec& codec, Spec& spec) {
    codec.field(spec.argv);
    codec.field(spec.personality);
    codec.field(spec.env);
    codec.field(spec.cwd);
    codec.field(spec.uid);
    codec.field(spec.gid);
    codec.field(spec.groups);
    codec.field(spec.capabilities);
    codec.field(spec.tty);
}

template <class Codec, class Spec>
void container_fields(Codec& codec, Spec& spec) {
    process_fields(codec, spec.process);
    codec.field(spec.flavour);
    codec.field(spec.directories);
    codec.field(spec.mounts);
    codec.field(spec.root_views);
    codec.field(spec.files);
    codec.field(spec.read_only_root);
}

void stdio_fields(Writer& writer, const ProcessSpec& spec) {
    for (const int fd : {spec.stdin_fd, spec.stdout_fd, spec.stderr_fd}) writer.field(fd >= 0);
}

/// Present ones become 0, for "there is one"; the clone puts its own number there.
void stdio_fields(Reader& reader, ProcessSpec& spec) {
    for (int* fd : {&spec.stdin_fd, &spec.stdout_fd, &spec.stderr_fd}) {
        bool present = false;
        reader.field(present);
        *fd = present ? 0 : -1;
    }
}

}  // namespace

std::string encode(const ProcessSpec& spec) {
    Writer writer;
    process_fields(writer, spec);
    stdio_fields(writer, spec);
    return writer.take();
}

std::string encode(const ContainerSpec& spec) {
    Writer writer;
    container_fields(writer, spec);
    stdio_fields(writer, spec.process);
    return writer.take();
}

Result<ProcessSpec> decode_process(std::string_view bytes) {
    Reader reader(bytes);
    ProcessSpec spec;
    process_fields(reader, spec);
    stdio_fields(reader, spec);
    if (!reader.complete()) return Error(Errc::kInvalid, "not an encoded process");
    return spec;
}

Result<ContainerSpec> decode_container(std::string_view bytes) {
    Reader reader(bytes);
    ContainerSpec spec;
    container_fields(reader, spec);
    stdio_fields(reader, spec.process);
    if (!reader.complete()) return Error(Errc::kInvalid, "not an encoded container");
    return spec;
}

}  // namespace kin::netns
