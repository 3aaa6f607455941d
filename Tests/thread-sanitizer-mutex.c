// Tells the thread sanitizer what it can't see: that who finds a Mutex (Synchronization) taken, and waits for it, comes after whoever had it.
//
// The waiting is in the standard library, which isn't instrumented, so that whatever a contended Mutex holds is reported: ten lines that count under
// one, by four threads, are. Preloaded (make sanitize SANITIZER=thread), these stand before the library's functions that wait and wake. What
// meets no contention is instrumented where it is used, and needs nothing. A program without the sanitizer is left as it is.
//
// stdlib/public/Synchronization/Mutex/LinuxImpl.swift; include/sanitizer/tsan_interface.h.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

// Methods of _MutexHandle: _lockSlow(_: UInt32), _tryLockSlow() -> Bool, _unlockSlow().
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SWIFT __attribute__((swiftcall))
#define MUTEX __attribute__((swift_context)) void *mutex

extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

SWIFT void hawser_mutex_lock(uint32_t thread, MUTEX) __asm__(LOCK);
SWIFT bool hawser_mutex_try_lock(MUTEX) __asm__(TRY_LOCK);
SWIFT void hawser_mutex_unlock(MUTEX) __asm__(UNLOCK);

SWIFT void hawser_mutex_lock(uint32_t thread, MUTEX) {
    SWIFT void (*lock)(uint32_t, MUTEX) = dlsym(RTLD_NEXT, LOCK);
    lock(thread, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT bool hawser_mutex_try_lock(MUTEX) {
    SWIFT bool (*try_lock)(MUTEX) = dlsym(RTLD_NEXT, TRY_LOCK);
    bool taken = try_lock(mutex);
    if (taken && __tsan_acquire) __tsan_acquire(mutex);
    return taken;
}

SWIFT void hawser_mutex_unlock(MUTEX) {
    SWIFT void (*unlock)(MUTEX) = dlsym(RTLD_NEXT, UNLOCK);
    if (__tsan_release) __tsan_release(mutex);
    unlock(mutex);
}
