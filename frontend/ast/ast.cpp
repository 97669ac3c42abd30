// ast
