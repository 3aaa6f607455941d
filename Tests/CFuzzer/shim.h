#pragma once
#include <stddef.h>
#include <stdint.h>

// Of libFuzzer (FuzzerInterface.h of compiler-rt): there only where `make fuzz` links it.
extern int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size)) __attribute__((weak));

/// Tries the callback on and on, and ends the process; returns where there is no libFuzzer.
static inline void hawser_fuzz(int argc, char **argv, int (*callback)(const uint8_t *data, size_t size)) {
    if (LLVMFuzzerRunDriver) LLVMFuzzerRunDriver(&argc, &argv, callback);
}
