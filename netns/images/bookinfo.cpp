// Istio's bookshop without the mesh: a page of one book, its details, its reviews in three
// versions, and their ratings. KIN_APP says which part this is, KIN_VERSION which version.
#include <cstdio>

#include "core/base/json.h"
#include "core/base/strings.h"
#include "netns/images/dial.h"
#include "netns/images/programs.h"
#include "netns/images/service.h"

namespace kin::images {
namespace {

constexpr const char* kPort = "9080";

HttpResponse json_response(const Json& body) {
    return HttpResponse::text(to_text(body), "application/json");
}

/// The number behind `prefix` in a path: 0 for "/details/0".
std::optional<int> number_behind(const HttpRequest& request, std::string_view prefix) {
    const std::string_view path = request.path;
    if (!path.starts_with(prefix)) return {};
    return parse_number<int>(path.substr(prefix.size()));
}

/// Where a neighbour is: by its name, unless a variable says otherwise.
std::string host_of(const Strings& env, std::string_view by_variable, std::string_view name) {
    const std::string_view value = variable(env, by_variable);
    return std::string(value.empty() ? name : value);
}

Result<Json> ask(const std::string& host, std::string path) {
    TRY_ASSIGN(const std::string text, dial_once({host, kPort, "http", std::move(path)}));
    return parse_json(text);
}

HttpResponse details(const HttpRequest& request) {
    const auto id = number_behind(request, "/details/");
    if (!id) return HttpResponse::error(404);
    return json_response({{"id", *id},
                          {"author", "William Shakespeare"},
                          {"year", 1595},
                          {"type", "paperback"},
                          {"pages", 200},
                          {"publisher", "PublisherA"},
                          {"language", "English"},
                          {"ISBN-10", "1234567890"},
                          {"ISBN-13", "123-1234567890"}});
}

HttpResponse ratings(const HttpRequest& request) {
    const auto id = number_behind(request, "/ratings/");
    if (!id) return HttpResponse::error(404);
    return json_response({{"id", *id}, {"ratings", {{"Reviewer1", 5}, {"Reviewer2", 4}}}});
}

/// Two reviews; from version 2 on with the stars that `ratings` gives, black or red.
Json reviews_of(int id, std::string_view version, const std::string& ratings_host) {
    Json reviews = Json::array({{{"reviewer", "Reviewer1"}, {"text", "A play to laugh about."}},
                                {{"reviewer", "Reviewer2"}, {"text", "Light, and well told."}}});
    if (version != "v1") {
        const auto stars = ask(ratings_host, cat("ratings/", id));
        for (Json& review : reviews) {
            const std::string reviewer = review.value("reviewer", "");
            if (stars && stars->contains("ratings") && (*stars)["ratings"].contains(reviewer)) {
                review["rating"] = {{"stars", (*stars)["ratings"][reviewer]},
                                    {"color", version == "v2" ? "black" : "red"}};
            } else {
                review["rating"] = {{"error", "Ratings service is currently unavailable"}};
            }
        }
    }
    return {
        {"id", cat(id)}, {"podname", host_name()}, {"clustername", "null"}, {"reviews", reviews}};
}

HttpResponse reviews(const HttpRequest& request, const Strings& env) {
    const auto id = number_behind(request, "/reviews/");
    if (!id) return HttpResponse::error(404);
    HttpResponse out;
    out.in_child = [id = *id, version = std::string(variable(env, "KIN_VERSION")),
                    host = host_of(env, "RATINGS_HOSTNAME", "ratings")] {
        return json_response(reviews_of(id, version, host));
    };
    return out;
}

std::string book_page(const Result<Json>& book, const Result<Json>& opinions) {
    std::string html =
        "<!DOCTYPE html>\n<html>\n<head>\n<title>Simple Bookstore App</title>\n</head>\n<body>\n"
        "<h1>The Comedy of Errors</h1>\n<h2>Book Details</h2>\n";
    if (book && book->is_object()) {
        html += "<dl>\n";
        for (const auto& [name, value] : book->items()) {
            const std::string text = value.is_string() ? value.get<std::string>() : to_text(value);
            html += cat("<dt>", escape_html(name), "</dt><dd>", escape_html(text), "</dd>\n");
        }
        html += "</dl>\n";
    } else {
        html += "<p>Error fetching product details!</p>\n";
    }
    html += "<h2>Book Reviews</h2>\n";
    if (opinions && opinions->contains("reviews")) {
        for (const Json& review : (*opinions)["reviews"]) {
            html += cat("<blockquote>", escape_html(review.value("text", "")), "<small>",
                        escape_html(review.value("reviewer", "")), "</small>");
            const Json rating = review.value("rating", Json::object());
            if (rating.contains("stars")) {
                html += cat("<font color=\"", escape_html(rating.value("color", "")), "\">",
                            rating.value("stars", 0), " stars</font>");
            }
            html += "</blockquote>\n";
        }
        html +=
            cat("<p>Reviews served by: ", escape_html(opinions->value("podname", "")), "</p>\n");
    } else {
        html += "<p>Error fetching product reviews!</p>\n";
    }
    return html + "</body>\n</html>\n";
}

/// What a neighbour says, passed on; 500 if it says nothing.
HttpResponse passed_on(const std::string& host, const std::string& path) {
    HttpResponse out;
    out.in_child = [host, path] {
        const auto answer = ask(host, path);
        return answer ? json_response(*answer) : HttpResponse::error(500);
    };
    return out;
}

HttpResponse product_page(const HttpRequest& request, const Strings& env) {
    const std::string details_host = host_of(env, "DETAILS_HOSTNAME", "details");
    const std::string reviews_host = host_of(env, "REVIEWS_HOSTNAME", "reviews");
    const std::string& path = request.path;
    if (path == "/" || path == "/index.html") {
        return HttpResponse::text(
            "<!DOCTYPE html>\n<html><head><title>Simple Bookstore App</title></head>\n"
            "<body><a href=\"/productpage\">The book of the shop</a></body></html>\n",
            "text/html; charset=utf-8");
    }
    if (path == "/productpage") {
        HttpResponse out;
        out.in_child = [=] {
            return HttpResponse::text(
                book_page(ask(details_host, "details/0"), ask(reviews_host, "reviews/0")),
                "text/html; charset=utf-8");
        };
        return out;
    }
    if (path == "/api/v1/products") {
        return json_response(Json::array({{{"id", 0}, {"title", "The Comedy of Errors"}}}));
    }
    if (path == "/api/v1/products/0") return passed_on(details_host, "details/0");
    if (path == "/api/v1/products/0/reviews") return passed_on(reviews_host, "reviews/0");
    if (path == "/api/v1/products/0/ratings") {
        return passed_on(host_of(env, "RATINGS_HOSTNAME", "ratings"), "ratings/0");
    }
    if (path.starts_with("/static/")) return HttpResponse::text("/* no style */\n", "text/css");
    return HttpResponse::error(404);
}

}  // namespace

int bookinfo_main(const Strings&, const Strings& env) {
    const std::string app(variable(env, "KIN_APP"));
    Service service;
    service.set_log([](const HttpRequest& request, const HttpResponse& response, size_t bytes) {
        print_line(cat(request.peer_address, " - - [", log_time(), "] \"", request.method, ' ',
                       request.target, "\" ", response.status, ' ', bytes));
    });
    const auto listening = service.listen_http(9080, [&](const HttpRequest& request) {
        if (request.path == "/health") return json_response({{"status", cat(app, " is healthy")}});
        if (app == "details") return details(request);
        if (app == "ratings") return ratings(request);
        if (app == "reviews") return reviews(request, env);
        return product_page(request, env);
    });
    if (!listening) {
        std::fprintf(stderr, "%s\n", listening.error().text().c_str());
        return 1;
    }
    print_line(cat(app, " listens on port ", kPort));
    return service.run();
}

}  // namespace kin::images
