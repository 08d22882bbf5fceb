#pragma once

#include <cstddef>

/// Who links allocations.cpp has every `new` of its program counted, and can make them fail.
namespace keyturn::allocations {

/// How many there were since the start of the program.
[[nodiscard]] std::size_t count();

/// From now on the n-th one throws std::bad_alloc, and every one after it, as when memory is out.
void run_out_at(std::size_t n);

/// The most bytes that were held at once since this was made, beyond those held then.
class Peak {
  public:
    Peak();
    [[nodiscard]] std::size_t bytes() const;

  private:
    std::size_t before_;
};

}  // namespace keyturn::allocations
