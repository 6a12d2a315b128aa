package dev.tarn;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Models and the command use the runtime and never look behind it. */
@AnalyzeClasses(packages = "dev.tarn", importOptions = DoNotIncludeTests.class)
class ModelsArchitectureTest {
    @ArchTest
    static final ArchRule models_describe_and_do_not_run = noClasses()
            .that()
            .resideInAPackage("dev.tarn.models..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.tarn.ffm..", "dev.tarn.kernel..", "dev.tarn.cli..", "java.lang.foreign..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule the_command_sees_no_native_call = noClasses()
            .that()
            .resideInAPackage("dev.tarn.cli..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.tarn.ffm..")
            .allowEmptyShould(true);
}
