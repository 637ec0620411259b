# What several test programs share: include(support.cmake), then LINK the target. Object libraries, so that the order on the
# linker's command line does not matter.
include_guard(GLOBAL)

# cf_fail_alloc: every allocation of the program goes through fail_alloc.c, which can make one of them fail.
# cf_safetensors_writer: small safetensors files. cf_temp_dir: a folder for one test.
foreach(name fail_alloc safetensors_writer temp_dir)
    add_library(cf_${name} OBJECT ${CMAKE_CURRENT_LIST_DIR}/${name}.c)
    target_include_directories(cf_${name} PUBLIC ${CMAKE_CURRENT_LIST_DIR}/..)
    target_link_libraries(cf_${name} PUBLIC cf_base cf_tensor)
endforeach()
target_link_options(cf_fail_alloc INTERFACE
    LINKER:--wrap=malloc LINKER:--wrap=calloc LINKER:--wrap=realloc LINKER:--wrap=aligned_alloc)
