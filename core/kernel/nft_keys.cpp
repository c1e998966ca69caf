// Keys and userdata as bytes.
#include <arpa/inet.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>

#include <cstring>

#include "core/base/assert.h"
#include "core/base/strings.h"
#include "core/kernel/nft_encode.h"

namespace kin::nft {

namespace {

using UserdataPtr = std::unique_ptr<nftnl_udata_buf, FreeWith<nftnl_udata_buf_free>>;

/// What nft knows about a field: numbers of its own that it keeps in the userdata of sets.
struct FieldTraits {
    uint32_t type;
    uint8_t bytes;
    enum class Order : uint8_t { kHost = 1, kNetwork = 2 } order;
    enum class Typeof : uint8_t { kPayload = 7, kMeta = 9, kNumgen = 23 } expression;
    uint32_t description;  ///< Payload: which header (11 th, 12 ip, 17 ether). Meta: the key.
    uint32_t detail;       ///< Payload: which field of the header.
};

FieldTraits traits_of(const Field& field) {
    using Order = FieldTraits::Order;
    using Typeof = FieldTraits::Typeof;
    // clang-format off
    switch (field.kind) {
        case Field::Kind::kSourceMac:
            return {9, 6, Order::kNetwork, Typeof::kPayload, 17, 2};
        case Field::Kind::kSourceAddress:
            return {7, 4, Order::kNetwork, Typeof::kPayload, 12, 11};
        case Field::Kind::kDestinationAddress:
            return {7, 4, Order::kNetwork, Typeof::kPayload, 12, 12};
        case Field::Kind::kProtocol:
            return {12, 1, Order::kHost, Typeof::kMeta, NFT_META_L4PROTO, 0};
        case Field::Kind::kSourcePort:
            return {13, 2, Order::kNetwork, Typeof::kPayload, 11, 1};
        case Field::Kind::kDestinationPort:
            return {13, 2, Order::kNetwork, Typeof::kPayload, 11, 2};
        case Field::Kind::kMark:
            return {19, 4, Order::kHost, Typeof::kMeta, NFT_META_MARK, 0};
        case Field::Kind::kRandom:
            return {4, 4, Order::kHost, Typeof::kNumgen, 0, 0};
    }
    // clang-format on
    return {};
}

/// What all keys of a field start with, before the bytes that tell them apart.
std::string_view start_of(const Field& field) {
    return field.kind == Field::Kind::kSourceMac ? "\x0a\x58" : "";
}

uint8_t padded(uint8_t bytes) { return static_cast<uint8_t>((bytes + 3) & ~3); }

class Userdata {
public:
    Userdata() : buffer_(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN)) {
        KIN_ASSERT(buffer_ != nullptr);
    }
    void number(uint8_t type, uint32_t value) { nftnl_udata_put_u32(buffer_.get(), type, value); }
    void text(uint8_t type, std::string_view text) {
        nftnl_udata_put_strz(buffer_.get(), type, std::string(text).c_str());
    }
    template <class Inside>
    void nest(uint8_t type, Inside&& inside) {
        nftnl_udata* start = nftnl_udata_nest_start(buffer_.get(), type);
        inside();
        nftnl_udata_nest_end(buffer_.get(), start);
    }
    std::string bytes() const {
        return {static_cast<const char*>(nftnl_udata_buf_data(buffer_.get())),
                nftnl_udata_buf_len(buffer_.get())};
    }

    void type_of(const Field& field) {
        const FieldTraits traits = traits_of(field);
        number(NFTNL_UDATA_SET_TYPEOF_EXPR, static_cast<uint32_t>(traits.expression));
        nest(NFTNL_UDATA_SET_TYPEOF_DATA, [&] {
            switch (traits.expression) {
                case FieldTraits::Typeof::kPayload:
                    number(0, traits.description);
                    return number(1, traits.detail);
                case FieldTraits::Typeof::kMeta:
                    return number(0, traits.description);
                case FieldTraits::Typeof::kNumgen:
                    number(0, NFT_NG_RANDOM);
                    number(1, field.modulus);
                    return number(2, 0);
            }
        });
    }
    void type_of(const Fields& fields) {
        constexpr uint32_t kConcatenation = 13;
        if (fields.size() == 1) return type_of(fields[0]);
        number(NFTNL_UDATA_SET_TYPEOF_EXPR, kConcatenation);
        nest(NFTNL_UDATA_SET_TYPEOF_DATA, [&] {
            for (size_t part = 0; part < fields.size(); ++part)
                nest(static_cast<uint8_t>(part), [&] { type_of(fields[part]); });
        });
    }
    void type_of_verdict() {
        constexpr uint32_t kVerdict = 1;
        number(NFTNL_UDATA_SET_TYPEOF_EXPR, kVerdict);
        nest(NFTNL_UDATA_SET_TYPEOF_DATA, [] {});
    }

private:
    UserdataPtr buffer_;
};

}  // namespace

KeyLayout layout_of(const Fields& fields) {
    KeyLayout layout;
    for (const Field& field : fields) {
        const FieldTraits traits = traits_of(field);
        layout.type = layout.type << 6 | traits.type;
        layout.part_bytes.push_back(traits.bytes);
        layout.bytes += fields.size() == 1 ? traits.bytes : padded(traits.bytes);
        layout.byte_order = fields.size() == 1 ? static_cast<uint32_t>(traits.order) : 0;
    }
    return layout;
}

std::string encode_key(const Fields& fields, const Key& key) {
    KIN_ASSERT(fields.size() == key.size());
    std::string out;
    for (size_t part = 0; part < fields.size(); ++part) {
        const FieldTraits traits = traits_of(fields[part]);
        const bool network = traits.order == FieldTraits::Order::kNetwork;
        const uint32_t word = network ? htonl(key[part]) : key[part];
        const size_t bytes = traits.bytes - start_of(fields[part]).size();
        // A number's last bytes in network order, its first in the host's (little endian).
        const size_t skip = network ? sizeof word - bytes : 0;
        out.append(start_of(fields[part]));
        out.append(reinterpret_cast<const char*>(&word) + skip, bytes);
        if (fields.size() > 1) out.append(padded(traits.bytes) - traits.bytes, '\0');
    }
    return out;
}

Key decode_key(const Fields& fields, std::string_view bytes) {
    Key key;
    for (const Field& field : fields) {
        const FieldTraits traits = traits_of(field);
        if (bytes.size() < traits.bytes) return key;
        const bool network = traits.order == FieldTraits::Order::kNetwork;
        uint32_t word = 0;
        const size_t start = start_of(field).size();
        const size_t skip = network ? sizeof word - (traits.bytes - start) : 0;
        std::memcpy(reinterpret_cast<char*>(&word) + skip, bytes.data() + start,
                    traits.bytes - start);
        key.push(network ? ntohl(word) : word);
        bytes.remove_prefix(std::min<size_t>(bytes.size(), padded(traits.bytes)));
    }
    return key;
}

std::string set_userdata(const SetShape& shape) {
    Userdata out;
    const auto* fields = std::get_if<Fields>(&shape.data);
    out.number(NFTNL_UDATA_SET_KEYBYTEORDER, layout_of(shape.key).byte_order);
    if (shape.is_map())
        out.number(NFTNL_UDATA_SET_DATABYTEORDER, fields ? layout_of(*fields).byte_order : 0);
    out.nest(NFTNL_UDATA_SET_KEY_TYPEOF, [&] { out.type_of(shape.key); });
    if (shape.is_map()) {
        out.nest(NFTNL_UDATA_SET_DATA_TYPEOF, [&] {
            if (fields) return out.type_of(*fields);
            out.type_of_verdict();
        });
        out.number(NFTNL_UDATA_SET_DATA_INTERVAL, 0);
    }
    if (!shape.comment.empty()) out.text(NFTNL_UDATA_SET_COMMENT, comment_text(shape.comment));
    return out.bytes();
}

std::string comment_userdata(std::string_view comment) {
    Userdata out;
    out.text(NFTNL_UDATA_SET_ELEM_COMMENT, comment_text(comment));
    return out.bytes();
}

}  // namespace kin::nft
