# Flags for all of our own code.
add_compile_options(-Wall -Wextra -Wno-unused-parameter)
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-Werror)
endif()
include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
# Messages and debug info must not depend on where the build happens.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)

# Sanitizers are for the compiler and its tests; the static stub is built without them.
function(btc_sanitize target)
  if(BTC_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_link_options(${target} PUBLIC -fsanitize=address,undefined)
  endif()
endfunction()

# A library of the compiler: btc_library(NAME files... LINK libs...)
function(btc_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  btc_sanitize(${name})
endfunction()
