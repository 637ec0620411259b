# Writes cf_commit.h: #define CF_COMMIT " (commit 1a2b3c4d5e6f)", or "" outside of a git checkout. Run at every build; the file is
# touched only when the commit changes, so that nothing is rebuilt otherwise.
#   cmake -DSOURCE=DIR -DOUT=FILE -P commit.cmake
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty=+ --abbrev=12 --exclude=*
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
set(text "#define CF_COMMIT \"\"\n")
if(NOT failed AND EXISTS ${SOURCE}/.git)
    set(text "#define CF_COMMIT \" (commit ${commit})\"\n")
endif()
set(old "")
if(EXISTS ${OUT})
    file(READ ${OUT} old)
endif()
if(NOT old STREQUAL text)
    file(WRITE ${OUT} "${text}")
endif()
