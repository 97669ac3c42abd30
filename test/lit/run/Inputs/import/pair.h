struct pair { int x; int y; };
