# One interface target carries every warning; nobody edits CMAKE_C_FLAGS.
add_library(mr_warnings INTERFACE)
target_compile_definitions(mr_warnings INTERFACE _POSIX_C_SOURCE=200809L)
target_compile_options(mr_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Werror
  -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion -Wfloat-equal
  -Wformat=2 -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wcast-qual -Wcast-align -Wpointer-arith -Wwrite-strings -Wredundant-decls -Wnested-externs
  -Wswitch-enum -Wvla -Walloca -Wnull-dereference -Wimplicit-fallthrough -Wunused-macros
  # The address sanitizer's red zones make a frame several times as large; what is delivered counts.
  $<$<NOT:$<BOOL:${MR_SANITIZE_ADDRESS}>>:-Wframe-larger-than=16384>
  $<$<C_COMPILER_ID:GNU>:-Wformat-signedness;-Wformat-overflow=2;-Wformat-truncation=2;-Wduplicated-cond;-Wduplicated-branches;-Wlogical-op;-Wrestrict;-Wjump-misses-init;-Walloc-zero;-Warith-conversion;-Wbidi-chars=any>
  $<$<C_COMPILER_ID:Clang>:-Wcomma;-Wunreachable-code;-Wconditional-uninitialized;-Wmissing-variable-declarations;-Wassign-enum>)
