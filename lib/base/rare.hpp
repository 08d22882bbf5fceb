#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace keyturn {

/// An optional whose value is on the heap: costs a pointer where there is none, for what hardly
/// anything has.
template <class T>
class Rare {
  public:
    Rare() = default;
    Rare(std::nullopt_t) {}
    Rare(T value) : value_(std::make_unique<T>(std::move(value))) {}
    Rare(const Rare& other) : value_(other ? std::make_unique<T>(*other) : nullptr) {}
    Rare(Rare&&) noexcept = default;
    Rare& operator=(Rare other) noexcept {
        value_ = std::move(other.value_);
        return *this;
    }
    ~Rare() = default;

    [[nodiscard]] bool has_value() const { return value_ != nullptr; }
    explicit operator bool() const { return has_value(); }

    T& operator*() { return *value_; }
    const T& operator*() const { return *value_; }
    T* operator->() { return value_.get(); }
    const T* operator->() const { return value_.get(); }

    T& emplace() { return *(value_ = std::make_unique<T>()); }
    void reset() { value_.reset(); }

    friend bool operator==(const Rare& left, const Rare& right) {
        return left && right ? *left == *right : left.has_value() == right.has_value();
    }

  private:
    std::unique_ptr<T> value_;
};

}  // namespace keyturn
