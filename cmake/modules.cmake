# mr_host_modules(TARGET): a program that opens stages from shared objects (millrace/module.h). Every
# function of the contract is in it and shown, those too that the program itself does not call: the
# objects are named, so that the linker leaves none of them in its archive.
function(mr_host_modules target)
  foreach(part mr_base mr_wire mr_observe mr_store mr_task)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${part}>)
  endforeach()
  target_link_libraries(${target} PRIVATE mr_modules mr_task mr_store)
  set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)
endfunction()
