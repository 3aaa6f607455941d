// Programs that the kernel runs on packets (bpf(2)). Everything is an int or a plain buffer, so that Swift fills no union.
#pragma once

#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef BPF_F_TEST_XDP_LIVE_FRAMES // headers before Linux 5.18
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif

// A map that is one value of so many bytes; a descriptor, or -1 with errno.
static inline int hawser_bpf_value(uint32_t size) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof(attributes));
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = sizeof(uint32_t);
    attributes.value_size = size;
    attributes.max_entries = 1;
    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes));
}

// Writes the value of such a map; 0, or -1 with errno.
static inline int hawser_bpf_write(int map, const void *value) {
    uint32_t key = 0;
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof(attributes));
    attributes.map_fd = (uint32_t)map;
    attributes.key = (uint64_t)(uintptr_t)&key;
    attributes.value = (uint64_t)(uintptr_t)value;
    return (int)syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attributes, sizeof(attributes));
}

// Loads a program for packets as they come in at an interface (XDP); a descriptor, or -1 with errno.
static inline int hawser_bpf_load(const uint64_t *instructions, uint32_t count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof(attributes));
    attributes.prog_type = BPF_PROG_TYPE_XDP;
    attributes.insns = (uint64_t)(uintptr_t)instructions;
    attributes.insn_cnt = count;
    attributes.license = (uint64_t)(uintptr_t) "Apache-2.0";
    return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
}

// Makes `count` frames, gives each to the program, and lets those that it passes come in at an interface of the calling thread's
// network namespace (Documentation/bpf/bpf_prog_run.rst, "live" mode; Linux 5.18). 0, or -1 with errno; how long one took on average.
static inline int hawser_bpf_inject(
    int program, const void *frame, uint32_t length, uint32_t interface, uint32_t count, uint32_t *nanoseconds) {
    struct xdp_md context;
    memset(&context, 0, sizeof(context));
    context.data_end = length;
    context.ingress_ifindex = interface;
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof(attributes));
    attributes.test.prog_fd = (uint32_t)program;
    attributes.test.data_in = (uint64_t)(uintptr_t)frame;
    attributes.test.data_size_in = length;
    attributes.test.ctx_in = (uint64_t)(uintptr_t)&context;
    attributes.test.ctx_size_in = sizeof(context);
    attributes.test.repeat = count;
    attributes.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    int result = (int)syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attributes, sizeof(attributes));
    *nanoseconds = attributes.test.duration;
    return result;
}
