#pragma once

#include "policy/policy_file.hpp"
#include "policy/source_text.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// The most problems that are shown. With more, a person starts over instead of reading on.
inline constexpr std::size_t policy_problems_max = 100;

/// Collects the problems of a policy and its drop-ins, in any order. Lives for one parse; the texts
/// must outlive it.
class ProblemList {
  public:
    ProblemList(std::string file, std::string_view text);

    /// Begins another file. Its places carry the number that `file` returns from now on.
    void begin_file(std::string file, std::string_view text);
    [[nodiscard]] int file() const { return static_cast<int>(files_.size()) - 1; }

    /// "line 5", or "line 5 of FILE" if `from` is in another file.
    [[nodiscard]] std::string line_name(Place place, Place from) const;

    /// Adds a problem. Line 0 stands for the file as a whole.
    void add(Place place, std::string text);

    /// Stars out `size` bytes at `place` in every excerpt, because a secret that was pasted into
    /// the wrong place must not spread through an error message.
    void hide(Place place, std::size_t size);

    /// "FILE:LINE:COLUMN: TEXT" for a warning.
    [[nodiscard]] std::string located(const Remark& remark) const;

    [[nodiscard]] bool empty() const { return remarks_.empty(); }
    [[nodiscard]] std::size_t size() const { return remarks_.size(); }

    /// True if there are more problems than `take` returns, so that working out remedies is wasted.
    [[nodiscard]] bool crowded() const { return remarks_.size() > policy_problems_max; }

    /// The line that contains a place, without its line end; empty if there is none.
    [[nodiscard]] std::string_view line_at(Place place) const;

    /// Returns the problems in file order, without duplicates, at most `policy_problems_max`.
    [[nodiscard]] std::vector<PolicyProblem> take();

  private:
    struct HiddenRange {
        Place place;
        std::size_t size = 0;
    };

    [[nodiscard]] int character_column(Place place) const;
    [[nodiscard]] std::string excerpt(Place place) const;

    struct File {
        std::string name;
        std::vector<std::string_view> lines;
    };

    [[nodiscard]] const File& file_of(Place place) const {
        return files_.at(static_cast<std::size_t>(place.file));
    }

    std::vector<File> files_;
    std::vector<Remark> remarks_;
    std::vector<HiddenRange> hidden_;
};

}  // namespace keyturn
