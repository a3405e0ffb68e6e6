# Hardening of release builds; sanitizer builds go without.
option(MR_HARDENING "Hardened code generation and linking" OFF)

add_compile_options(-fvisibility=hidden)
if(MR_HARDENING)
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE)
  add_compile_definitions($<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
  add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
