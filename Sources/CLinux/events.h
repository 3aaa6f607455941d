// Waiting for many descriptors, of which few ever have anything (epoll(7)). Everything is an int or a number, so that Swift calls it
// without pointers.
#pragma once

#include <linux/netlink.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

// A set of descriptors, or -1 with errno.
static inline int hawser_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int hawser_epoll_control(int set, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(set, operation, descriptor, &event);
}

// Adds a descriptor that isn't waited for yet; 0, or -1 with errno.
static inline int hawser_epoll_add(int set, int descriptor, uint64_t token) {
    return hawser_epoll_control(set, EPOLL_CTL_ADD, descriptor, 0, token);
}

// Waits for it once: when it was told of, it isn't waited for any more.
static inline int hawser_epoll_arm(int set, int descriptor, uint64_t token) {
    return hawser_epoll_control(set, EPOLL_CTL_MOD, descriptor, EPOLLIN | EPOLLONESHOT, token);
}

static inline int hawser_epoll_disarm(int set, int descriptor, uint64_t token) {
    return hawser_epoll_control(set, EPOLL_CTL_MOD, descriptor, 0, token);
}

// The token of one that has something to read; 0 when there is none.
static inline uint64_t hawser_epoll_next(int set) {
    struct epoll_event event;
    return epoll_wait(set, &event, 1, 0) == 1 ? event.data.u64 : 0;
}

// Gives a netlink socket an address of the kernel's choice, without which it hears nothing that the kernel says by itself; 0, or -1 with errno.
static inline int hawser_bind_netlink(int descriptor) {
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    return bind(descriptor, (struct sockaddr *)&address, sizeof(address));
}

// Lets the process have as many open files as it may (getrlimit(2)).
static inline void hawser_raise_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}
