# How crossflow is compiled: flags for every target, and two functions: a module (one folder of src/) and a test program.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

# Assertions stay on in releases: they check our own arithmetic and cost nothing beside a matrix product.
set(CMAKE_C_FLAGS_RELEASE "-O3 -g")

find_package(PkgConfig REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS C)

add_library(cf_flags INTERFACE)
# Contraction off: a product and a sum round twice everywhere, unless the code says fma.
target_compile_options(cf_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wundef -Wstrict-prototypes -Wmissing-prototypes
    -ffp-contract=off -fno-math-errno $<$<BOOL:${CF_WERROR}>:-Werror>)
target_compile_definitions(cf_flags INTERFACE _GNU_SOURCE CF_VERSION="${PROJECT_VERSION}")
target_include_directories(cf_flags INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
if(CF_SANITIZE)
    target_compile_options(cf_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
    target_link_options(cf_flags INTERFACE -fsanitize=address,undefined)
endif()

# cf_module(image SOURCES decode.c ... LINK cf_base cf_tensor PkgConfig::PNG): the static library cf_image.
function(cf_module name)
    cmake_parse_arguments(M "" "" "SOURCES;LINK" ${ARGN})
    add_library(cf_${name} STATIC ${M_SOURCES})
    target_link_libraries(cf_${name} PUBLIC cf_flags ${M_LINK})
endfunction()

# cf_test(test_image SOURCES test_resize.c ... LINK cf_image LABELS unit): one cmocka program, run from the source root.
# Exit status 77 is a visible skip. Idle OpenMP workers sleep instead of spinning, so that tests side by side do not starve one another.
function(cf_test name)
    cmake_parse_arguments(T "" "" "SOURCES;LINK;LABELS" ${ARGN})
    add_executable(${name} ${T_SOURCES})
    target_link_libraries(${name} PRIVATE cf_flags ${T_LINK} cmocka m)
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS "${T_LABELS}" SKIP_RETURN_CODE 77 TIMEOUT 600
        ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()
