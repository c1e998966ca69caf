#pragma once

#include <pthread.h>

#include "core/base/assert.h"

namespace kin {

/// A lock for many readers or one writer, for std::unique_lock and std::shared_lock. A waiting
/// writer goes first: with std::shared_mutex, readers that overlap without end would starve the
/// one writer that all of them wait for. So a reader must not lock it twice.
class RwLock {
public:
    RwLock() {
        pthread_rwlockattr_t attributes;
        pthread_rwlockattr_init(&attributes);
        pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
        KIN_ASSERT(pthread_rwlock_init(&lock_, &attributes) == 0);
        pthread_rwlockattr_destroy(&attributes);
    }
    ~RwLock() { pthread_rwlock_destroy(&lock_); }
    RwLock(const RwLock&) = delete;
    RwLock& operator=(const RwLock&) = delete;

    void lock() { KIN_ASSERT(pthread_rwlock_wrlock(&lock_) == 0); }
    void unlock() { pthread_rwlock_unlock(&lock_); }
    void lock_shared() { KIN_ASSERT(pthread_rwlock_rdlock(&lock_) == 0); }
    void unlock_shared() { pthread_rwlock_unlock(&lock_); }

private:
    pthread_rwlock_t lock_;
};

}  // namespace kin
