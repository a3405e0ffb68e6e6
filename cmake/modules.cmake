# mr_host_modules(TARGET [PART...]): a program that opens stages from shared objects
# (millrace/module.h). Every function of the contract is in it and shown, those too that the program
# itself does not call: the objects of the parts are named, so that the linker leaves none of them in
# its archive. Without parts: the runtime's.
function(mr_host_modules target)
  set(parts ${ARGN})
  if(NOT parts)
    set(parts mr_observe mr_store mr_task)
  endif()
  foreach(part mr_base mr_wire ${parts})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${part}>)
  endforeach()
  target_link_libraries(${target} PRIVATE mr_modules ${parts})
  set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)
endfunction()
