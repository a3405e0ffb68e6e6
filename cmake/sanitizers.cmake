# Sanitizers by preset: ASan and UBSan together, TSan alone; with clang's coverage for the fuzz targets.
option(MR_SANITIZE_ADDRESS "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(MR_SANITIZE_THREAD "ThreadSanitizer" OFF)
option(MR_FUZZ "Fuzz targets search for inputs (clang); else they replay their corpora" OFF)

if(MR_SANITIZE_ADDRESS)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(MR_SANITIZE_THREAD)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()

if(MR_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
