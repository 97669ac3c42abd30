// diag_text
