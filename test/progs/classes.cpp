// C++ as a uprobe's `args` sees it: references, inheritance, methods, overloads, objects with destructors.
#include <unistd.h>

struct Base { int base_value; virtual ~Base() {} };
class Derived : public Base {
 public:
  int own_value;
  static int shared;
  int method(int number) { return own_value + number; }
};
int Derived::shared = 5;

int take_reference(int& number, const Derived& object) { return number + object.own_value; }
int take_object(Derived object, int after) { return object.own_value + after; }
namespace space {
int overloaded(int first) { return first; }
int overloaded(long second, char third) { return static_cast<int>(second) + third; }
}

int main() {
  int number = 17;
  Derived object;
  object.base_value = 3;
  object.own_value = 4;
  for (;;) {
    take_reference(number, object);
    take_object(object, 6);
    object.method(9);
    space::overloaded(1);
    space::overloaded(2, 'c');
    usleep(5000);
  }
}
