// ir
