// diag
