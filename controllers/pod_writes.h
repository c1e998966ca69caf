#pragma once

#include <functional>
#include <string>
#include <utility>

#include "controllers/events.h"
#include "controllers/in_flight.h"
#include "core/base/lifetime.h"
#include "core/base/strings.h"
#include "core/client/client.h"

namespace kin::controllers {

/// Creates and removes the pods of a controller's objects, and tells their Events of it in the
/// words of kube-controller-manager (pkg/controller/controller_utils.go). Lives on the client's
/// loop; answers that come after its end are dropped.
template <class Owner>
class PodWrites {
public:
    using Done = std::function<void(const Answer<Written>&)>;

    /// All of these outlive this object. Writes count as in flight for their owner's key.
    PodWrites(Client& client, Cache<Owner>& owners, Reporter reporter, InFlight& in_flight)
        : client_(client), owners_(owners), reporter_(reporter), in_flight_(in_flight) {}

    /// `done` hears of the answer if the owner is still there.
    void create(const Owner& owner, Json pod, Done done = {}) {
        write(
            owner,
            [&](Client::Done answered) {
                client_.create(Pod::kResource, std::move(pod), std::move(answered));
            },
            [this, done = std::move(done)](const Owner& now, const Answer<Written>& answer) {
                if (done) done(answer);
                if (answer) {
                    record(client_, reporter_, now.meta, EventType::kNormal, "SuccessfulCreate",
                           cat("Created pod: ", written_name(*answer)));
                } else {
                    record(client_, reporter_, now.meta, EventType::kWarning, "FailedCreate",
                           cat("Error creating: ", answer.error().message));
                }
            });
    }

    void remove(const Owner& owner, const Pod& pod) {
        write(
            owner,
            [&](Client::Done answered) {
                client_.remove(Pod::kResource, pod.key(), only(pod.meta.uid), std::move(answered));
            },
            [this, name = pod.key().name](const Owner& now, const Answer<Written>& answer) {
                if (!answer) return;
                record(client_, reporter_, now.meta, EventType::kNormal, "SuccessfulDelete",
                       cat("Deleted pod: ", name));
            });
    }

private:
    template <class Start, class Report>
    void write(const Owner& owner, Start start, Report report) {
        const ObjectKey key = owner.key();
        in_flight_.begin(key);
        start(lifetime_.bind([this, key, report = std::move(report)](Answer<Written> answer) {
            in_flight_.end(key, answer);
            if (const Owner* now = owners_.find(key)) report(*now, answer);
        }));
    }

    Client& client_;
    Cache<Owner>& owners_;
    const Reporter reporter_;
    InFlight& in_flight_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
