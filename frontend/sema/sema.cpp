// sema
