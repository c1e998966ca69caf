#pragma once

#include <span>
#include <vector>

#include "core/store/objects.h"

namespace kin {

/// The writes that share one commit, and the view that each piece of work has meanwhile. On the
/// writer's thread, the only one that changes `base`; it must stay as it is while this lives.
class Batch : public StoreTransaction {
public:
    /// `last`: the revision before the first write.
    Batch(const Objects& base, Revision last) : base_(base), revision_(last) {}

    /// What follows is another piece of work, up to which abandon() goes back.
    void begin_work() { mark_ = events_.size(); }
    /// All writes, in order.
    std::span<const StoreEvent> events() const { return events_; }

    StoredPtr find(std::string_view resource, const ObjectKey& key) const override;
    std::vector<StoredPtr> list(std::string_view resource, std::string_view ns) const override;
    Revision next_revision() const override { return revision_ + 1; }
    StoredPtr put(NewObject object) override;
    StoredPtr remove(std::string_view resource, const ObjectKey& key) override;
    void abandon() override;

private:
    /// The objects of one resource that differ from the base; nullptr: there is none now.
    using Changed = std::map<ObjectKey, StoredPtr>;

    const Changed* changed(std::string_view resource) const;
    StoredPtr add(StoreEvent event);

    const Objects& base_;
    Revision revision_;
    std::map<std::string, Changed, std::less<>> changed_;
    std::vector<StoreEvent> events_;
    size_t mark_ = 0;
};

}  // namespace kin
