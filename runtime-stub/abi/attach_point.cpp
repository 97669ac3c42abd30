// attach_point
