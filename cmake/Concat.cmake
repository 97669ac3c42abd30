# cmake -DOUT=file -DINPUTS=a|b|c -P Concat.cmake: writes the files one after another.
string(REPLACE "|" ";" files "${INPUTS}")
file(WRITE ${OUT} "")
foreach(f IN LISTS files)
  file(READ ${f} text)
  file(APPEND ${OUT} "${text}\n")
endforeach()
