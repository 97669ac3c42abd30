// diag_json
