// lower
