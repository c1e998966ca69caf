#include "dns/zone.h"

#include <algorithm>
#include <cstring>

namespace kin::dns {

namespace {
struct NodeFrame {
    uint16_t name_size, sets;
};
struct SetFrame {
    uint32_t bytes_size, extra_size;
    uint16_t type, count, extra_count;
};

template <class Frame>
Frame frame_at(const char* at) {
    Frame frame;
    std::memcpy(&frame, at, sizeof frame);
    return frame;
}

RecordSet set_of(const SetFrame& frame, const char* bytes) {
    return {static_cast<Type>(frame.type),
            frame.count,
            {bytes, frame.bytes_size},
            frame.extra_count,
            {bytes + frame.bytes_size, frame.extra_size}};
}

constexpr size_t kLine = 64;  // What a processor fetches at once.
// Most names and buckets are in these; the rest is fetched when it is needed.
constexpr size_t kNodeLines = 3, kBucketLines = 4;

void fetch_lines(const void* start, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        __builtin_prefetch(static_cast<const char*>(start) + i * kLine);
    }
}

// Pointer to the owner, type, class, time to live; then the length of the data.
constexpr size_t kBeforeLength = 10, kBeforeData = 12;
}  // namespace

size_t RecordSet::end_of(size_t start) const {
    return start + kBeforeData + u16_at(bytes, start + kBeforeLength);
}

std::string_view RecordSet::target() const {
    return bytes.substr(kBeforeData, end_of(0) - kBeforeData);
}

ZoneNode::ZoneNode(std::string_view name, const std::vector<RecordSet>& sets) {
    size_t size = sizeof(NodeFrame) + name.size();
    for (const RecordSet& set : sets)
        size += sizeof(SetFrame) + set.bytes.size() + set.extra.size();
    const auto memory = std::make_shared<char[]>(size);
    char* end = memory.get();
    const auto put = [&end](const void* from, size_t count) {
        std::memcpy(end, from, count);
        end += count;
    };
    const NodeFrame frame{static_cast<uint16_t>(name.size()), static_cast<uint16_t>(sets.size())};
    put(&frame, sizeof frame);
    put(name.data(), name.size());
    for (const RecordSet& set : sets) {
        const SetFrame of_set{static_cast<uint32_t>(set.bytes.size()),
                              static_cast<uint32_t>(set.extra.size()),
                              static_cast<uint16_t>(set.type), set.count, set.extra_count};
        put(&of_set, sizeof of_set);
        put(set.bytes.data(), set.bytes.size());
        put(set.extra.data(), set.extra.size());
    }
    bytes_ = memory;
}

bool ZoneNode::is(std::string_view name) const {
    const auto frame = frame_at<NodeFrame>(bytes_.get());
    return name == std::string_view(bytes_.get() + sizeof frame, frame.name_size);
}

std::optional<RecordSet> ZoneNode::find(Type type) const {
    const auto frame = frame_at<NodeFrame>(bytes_.get());
    const char* at = bytes_.get() + sizeof frame + frame.name_size;
    for (int left = frame.sets; left > 0; --left) {
        const auto set = frame_at<SetFrame>(at);
        at += sizeof set;
        if (type == Type::kAny || set.type == static_cast<uint16_t>(type)) return set_of(set, at);
        at += set.bytes_size + set.extra_size;
    }
    return {};
}

void ZoneNode::fetch() const { fetch_lines(bytes_.get(), kNodeLines); }

const ZoneNode* Zone::find(std::string_view name) const {
    const size_t hashed = hash(name);
    for (const Entry& entry : bucket_of(hashed).all()) {
        if (entry.hash == hashed && entry.node.is(name)) return &entry.node;
    }
    return nullptr;
}

void Zone::fetch(std::span<const size_t> hashes) const {
    for (const size_t hashed : hashes) fetch_lines(&bucket_of(hashed), 1);
    for (const size_t hashed : hashes) {
        const Bucket& bucket = bucket_of(hashed);
        fetch_lines(bucket.entries.get(),
                    std::min(bucket.size * sizeof(Entry) / kLine + 1, kBucketLines));
    }
    for (const size_t hashed : hashes) {
        for (const Entry& entry : bucket_of(hashed).all()) {
            if (entry.hash == hashed) entry.node.fetch();
        }
    }
}

const Apex* Zone::find_apex(std::string_view name) const {
    const auto found = std::find_if(apexes_.begin(), apexes_.end(),
                                    [&](const Apex& apex) { return is_within(name, apex.name); });
    return found == apexes_.end() ? nullptr : &*found;
}

std::optional<Ipv4> Zone::pod_address(std::string_view name) const {
    // Address, namespace, then exactly pod.cluster.local.
    if (without_labels(name, 2) != pods_ || !find(without_labels(name, 1))) return {};
    std::string text(name.substr(1, static_cast<unsigned char>(name[0])));
    if (text.find('.') != std::string::npos) return {};
    std::replace(text.begin(), text.end(), '-', '.');
    return Ipv4::parse(text);
}

}  // namespace kin::dns
