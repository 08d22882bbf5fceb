#pragma once

#include <cstddef>

/// A program that links allocations.cpp has each of its uses of `new` counted, and can make them
/// fail.
namespace keyturn::allocations {

/// The number of allocations since the start of the program.
[[nodiscard]] std::size_t count();

/// From now on, the n-th allocation and all after it throw std::bad_alloc, as when memory runs out.
void run_out_at(std::size_t n);

/// Measures the most bytes that were held at once since it was made, beyond those held then.
class Peak {
  public:
    Peak();
    [[nodiscard]] std::size_t bytes() const;

  private:
    std::size_t before_;
};

}  // namespace keyturn::allocations
