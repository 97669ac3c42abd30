// type_text
