#include <algorithm>

#include "core/kernel/nft_change.h"

namespace kin::nft {

namespace {

/// Bytes of netlink for one element: attribute headers, keys, verdict, comment; never too few.
size_t encoded_bytes(const Range&) { return 64; }
size_t encoded_bytes(const Range& range, const Element& element) {
    size_t bytes = encoded_bytes(range) + 32;
    if (!element.comment.empty()) bytes += 12 + comment_text(element.comment).size();
    if (const auto* verdict = std::get_if<Verdict>(&element.data))
        bytes += 16 + verdict->chain.size();
    return bytes;
}

bool same_head(const Chain& a, const Chain& b) {
    return a.base == b.base && a.comment == b.comment;
}

/// What cannot be changed without rewriting everything that refers to it.
bool must_be_rebuilt(const Table& from, const Table& to) {
    if (from.name != to.name || from.comment != to.comment) return true;
    for (const Set& set : to.sets) {
        const Set* old = from.find_set(set.shape.name);
        if (old && old->shape != set.shape) return true;
    }
    return std::ranges::any_of(to.chains, [&](const Chain& chain) {
        const Chain* old = from.find_chain(chain.name);
        return old && !same_head(*old, chain);
    });
}

Change structure_only(Change& change) {
    Change piece = change;
    piece.elements.clear();
    piece.removed_chains.clear();
    piece.removed_sets.clear();
    if (change.start == Change::Start::kReplace) piece.hooked = Change::Hooked::kDormant;
    return piece;
}

/// Walks through all element changes at once, object by object.
class Objects {
public:
    explicit Objects(std::vector<ElementChange>& changes) : changes_(changes) {
        for (ElementChange& change : changes_) {
            std::ranges::sort(change.removed);
            std::ranges::sort(change.added, {}, [](const auto& added) { return added.first; });
            cursors_.push_back({});
        }
    }

    /// Moves all elements of the next object to `piece` and returns their size; 0 at the end.
    size_t take(Change& piece) {
        if (piece.elements.empty())
            for (const ElementChange& change : changes_)
                piece.elements.push_back({change.set, {}, {}});
        const auto next = lowest();
        if (!next) return 0;
        size_t bytes = 0;
        for (size_t index = 0; index < changes_.size(); ++index) {
            auto& [removed, added] = cursors_[index];
            ElementChange& from = changes_[index];
            ElementChange& into = piece.elements[index];
            for (; removed < from.removed.size() && part_of(index, from.removed[removed]) == *next;
                 ++removed) {
                bytes += encoded_bytes(from.removed[removed]);
                into.removed.push_back(from.removed[removed]);
            }
            for (; added < from.added.size() && part_of(index, from.added[added].first) == *next;
                 ++added) {
                auto& [range, element] = from.added[added];
                bytes += encoded_bytes(range, element);
                into.added.emplace_back(range, std::move(element));
            }
        }
        return bytes;
    }

private:
    struct Cursor {
        size_t removed = 0;
        size_t added = 0;
    };

    /// What the elements of one object have in common: an address, or a node port.
    uint32_t part_of(size_t change, const Range& range) const {
        const Fields& key = changes_[change].set.key;
        const bool by_port = key.size() > 1 && key[0].kind == Field::Kind::kProtocol;
        return by_port ? range.first[0] << 16 | range.first[1] : range.first[0];
    }

    std::optional<uint32_t> lowest() const {
        std::optional<uint32_t> low;
        const auto consider = [&](uint32_t part) { low = std::min(low.value_or(part), part); };
        for (size_t index = 0; index < changes_.size(); ++index) {
            const auto& [removed, added] = cursors_[index];
            if (removed < changes_[index].removed.size())
                consider(part_of(index, changes_[index].removed[removed]));
            if (added < changes_[index].added.size())
                consider(part_of(index, changes_[index].added[added].first));
        }
        return low;
    }

    std::vector<ElementChange>& changes_;
    std::vector<Cursor> cursors_;
};

}  // namespace

bool Change::empty() const {
    return start == Start::kKeep && hooked == Hooked::kAsIs && added_chains.empty() &&
           added_sets.empty() && rewritten_chains.empty() && removed_chains.empty() &&
           removed_sets.empty() && element_count() == 0;
}

size_t Change::element_count() const {
    size_t count = 0;
    for (const ElementChange& change : elements)
        count += change.removed.size() + change.added.size();
    return count;
}

ElementChange difference(const SetShape& shape, const Elements& from, const Elements& to) {
    ElementChange change{shape, {}, {}};
    auto old = from.begin();
    auto fresh = to.begin();
    while (old != from.end() || fresh != to.end()) {
        const bool only_old = fresh == to.end() || (old != from.end() && old->first < fresh->first);
        const bool only_new = old == from.end() || (fresh != to.end() && fresh->first < old->first);
        if (only_old) {
            change.removed.push_back((old++)->first);
        } else if (only_new) {
            change.added.emplace_back(*fresh++);
        } else {
            if (old->second != fresh->second) {
                change.removed.push_back(old->first);
                change.added.emplace_back(*fresh);
            }
            ++old;
            ++fresh;
        }
    }
    return change;
}

Change difference(const Table& from, const Table& to) {
    if (must_be_rebuilt(from, to)) return whole(to);
    Change change;
    change.table = to.name;
    static const Elements kNone;
    for (const Set& set : to.sets) {
        const Set* old = from.find_set(set.shape.name);
        if (!old) change.added_sets.push_back(set.shape);
        auto elements = difference(set.shape, old ? old->elements : kNone, set.elements);
        if (!elements.empty()) change.elements.push_back(std::move(elements));
    }
    for (const Set& set : from.sets)
        if (!to.find_set(set.shape.name)) change.removed_sets.push_back(set.shape.name);
    for (const Chain& chain : to.chains) {
        const Chain* old = from.find_chain(chain.name);
        if (!old) change.added_chains.push_back(chain);
        if (old && old->rules != chain.rules) change.rewritten_chains.push_back(chain);
    }
    for (const Chain& chain : from.chains)
        if (!to.find_chain(chain.name)) change.removed_chains.push_back(chain.name);
    return change;
}

Change whole(const Table& table) {
    Change change;
    change.table = table.name;
    change.table_comment = table.comment;
    change.start = Change::Start::kReplace;
    change.added_chains = table.chains;
    for (const Set& set : table.sets) {
        change.added_sets.push_back(set.shape);
        auto elements = difference(set.shape, {}, set.elements);
        if (!elements.empty()) change.elements.push_back(std::move(elements));
    }
    return change;
}

std::vector<Change> split(Change change, size_t limit_bytes) {
    size_t total = 0;
    for (const ElementChange& elements : change.elements) {
        for (const Range& range : elements.removed) total += encoded_bytes(range);
        for (const auto& [range, element] : elements.added) total += encoded_bytes(range, element);
    }
    std::vector<Change> pieces;
    if (total <= limit_bytes) {
        pieces.push_back(std::move(change));
        return pieces;
    }
    pieces.push_back(structure_only(change));
    Objects objects(change.elements);
    Change piece;
    piece.table = change.table;
    size_t filled = 0;
    while (const size_t bytes = objects.take(piece)) {
        filled += bytes;
        if (filled < limit_bytes) continue;
        pieces.push_back(std::move(piece));
        piece = Change{};
        piece.table = change.table;
        filled = 0;
    }
    // The last piece cleans up after all elements have moved, and brings a new table into force.
    piece.removed_chains = std::move(change.removed_chains);
    piece.removed_sets = std::move(change.removed_sets);
    if (change.start == Change::Start::kReplace) piece.hooked = Change::Hooked::kAwake;
    pieces.push_back(std::move(piece));
    return pieces;
}

}  // namespace kin::nft
