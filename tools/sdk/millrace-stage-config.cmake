# find_package(millrace-stage), then millrace_add_stage(activity SOURCES activity.c [SCHEMAS *.avsc]).
#
# The module is <name>.so. SCHEMAS are records of its own: include them as "<name>/<record>.h".
get_filename_component(MILLRACE_SDK "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(millrace_add_stage name)
  cmake_parse_arguments(PARSE_ARGV 1 stage "" "" "SOURCES;SCHEMAS")
  set(generated)
  if(stage_SCHEMAS)
    list(TRANSFORM stage_SCHEMAS PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/]")
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/generated/${name})
    set(avrogen ${Python3_EXECUTABLE} -B ${MILLRACE_SDK}/share/millrace/avrogen)
    execute_process(COMMAND ${avrogen} --list --folder ${name} ${folder} ${stage_SCHEMAS}
      OUTPUT_VARIABLE generated OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    string(REPLACE "\n" ";" generated "${generated}")
    add_custom_command(OUTPUT ${generated} DEPENDS ${stage_SCHEMAS}
      COMMAND ${avrogen} --folder ${name} ${folder} ${stage_SCHEMAS} VERBATIM)
  endif()
  add_library(${name} MODULE ${stage_SOURCES} ${generated})
  set_target_properties(${name} PROPERTIES PREFIX "" C_STANDARD 17 C_VISIBILITY_PRESET hidden)
  target_include_directories(${name} PRIVATE ${MILLRACE_SDK}/include ${CMAKE_CURRENT_BINARY_DIR}/generated)
  target_link_libraries(${name} PRIVATE ${MILLRACE_SDK}/lib/libmillrace_avro.a)
endfunction()
